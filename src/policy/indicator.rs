//! Indicators: questions that have a code, such as the coverage of migrants by health insurance.
//!
//! An indicator is a file of its own beside the policies. It holds no rule and no budget: asked by its code, it becomes
//! a question like any other, and everything the policy says holds for it.

use super::Text;
use super::comparison::Contrast;
use super::question::{Codes, ComparedAsked, MeasureAsked, Question, Spend};
use crate::identity::{DatasetId, Period, Purpose};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The most indicators of one folder, and the longest file.
const FILES_MAX: usize = 1_000;
const FILE_MAX: u64 = 64 << 10;

/// The name of a file that is no indicator, and what is wrong in it.
pub type Misread = (String, String);

/// What an indicator says about the right it is for (OHCHR, "Human Rights Indicators", 2012).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum IndicatorKind {
    /// What was undertaken.
    Structure,
    /// What is done.
    Process,
    /// What came of it.
    Outcome,
}

/// Two groups of which an indicator is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// `difference` or `ratio`.
    pub by: Contrast,
    /// The codes of the first group.
    pub of: Codes,
    /// The codes of the second.
    pub against: Codes,
}

/// An indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Its code: `^[A-Z][A-Z0-9]{0,15}$`.
    pub code: String,
    /// Its names by language; English is always there.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub title: Text,
    /// The right it is about.
    pub right: String,
    /// What it says about it.
    pub kind: IndicatorKind,
    /// The SDG indicator it is or is near to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdg: Option<String>,
    /// The dataset it is asked of.
    pub dataset: DatasetId,
    /// `persons`, `rows`, `share`, `sum:COLUMN`, `mean:COLUMN` or `median:COLUMN`.
    pub measure: String,
    /// For a share: who is counted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numerator: Codes,
    /// Of whom; left out: of everyone in the register.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub denominator: Codes,
    /// The groups of which persons, a share or a mean are compared; left out: it is told of all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<Between>,
    /// By what it is broken down where the asker does not say.
    pub by: Vec<String>,
}

/// An indicator asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorAsked {
    /// What the answer is for.
    pub purpose: Purpose,
    /// The closed periods asked about.
    pub periods: Vec<Period>,
    /// By what it is broken down; left out: as the indicator says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Vec<String>>,
    /// Whether all margins come too.
    #[serde(default)]
    pub margins: bool,
    /// What may be spent.
    pub spend: Spend,
}

impl Indicator {
    /// Reads an indicator file.
    ///
    /// # Errors
    /// What is wrong and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let indicator: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let mut code = indicator.code.bytes();
        let first = code.next().is_some_and(|b| b.is_ascii_uppercase());
        let plain = code.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !first || !plain || indicator.code.len() > 16 {
            return Err("`code` is a capital letter, then at most 15 capital letters and digits: \"H1\"".to_owned());
        }
        if indicator.title.get("en").is_none_or(|title| title.trim().is_empty()) {
            return Err("`title` needs the text in English: { en = \"...\" }".to_owned());
        }
        if indicator.alone().is_some() && indicator.measure().is_none() {
            return Err("only persons, share and mean:COLUMN can be compared".to_owned());
        }
        match (indicator.measure().is_some(), indicator.measure == "share", indicator.numerator.is_empty()) {
            (false, _, _) => {
                Err("`measure` is persons, rows, share, sum:COLUMN, mean:COLUMN or median:COLUMN".to_owned())
            }
            (true, true, true) => Err("a share needs a `numerator`: { health_coverage = [\"covered\"] }".to_owned()),
            (true, false, false) => {
                Err("only a share has a `numerator`; write `denominator` for who is counted".to_owned())
            }
            (true, true, false) | (true, false, true) => Ok(indicator),
        }
    }

    /// Every indicator of a folder, by code, and the names of the files that are none, with what is wrong in them. Of
    /// several with one code the first file by name counts.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn read_dir(folder: &Path) -> std::io::Result<(Vec<Self>, Vec<Misread>)> {
        let (mut indicators, mut findings) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(folder)?.take(FILES_MAX) {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "toml") || path.metadata()?.len() > FILE_MAX {
                continue;
            }
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match Self::parse(&std::fs::read_to_string(&path)?) {
                Ok(indicator) => indicators.push((indicator, file)),
                Err(wrong) => findings.push((file, wrong)),
            }
        }
        indicators.sort_by(|(a, a_file), (b, b_file)| (&a.code, a_file).cmp(&(&b.code, b_file)));
        indicators.dedup_by(|(later, file), (first, _)| {
            let twice = later.code == first.code;
            if twice {
                let wrong =
                    format!("`code` {} is that of another file; an indicator has a code of its own", later.code);
                findings.push((std::mem::take(file), wrong));
            }
            twice
        });
        Ok((indicators.into_iter().map(|(indicator, _)| indicator).collect(), findings))
    }

    /// The question that the indicator is.
    #[must_use]
    pub fn question(&self, asked: &IndicatorAsked) -> Question {
        Question {
            dataset: self.dataset.clone(),
            purpose: asked.purpose.clone(),
            measures: self.measure().into_iter().collect(),
            by: Some(asked.by.clone().unwrap_or_else(|| self.by.clone())),
            tables: None,
            filter: self.denominator.clone(),
            periods: asked.periods.clone(),
            margins: asked.margins,
            spend: asked.spend.clone(),
        }
    }

    /// What is measured of each cell; `None` if that is nothing there is, or cannot be compared.
    fn measure(&self) -> Option<MeasureAsked> {
        let alone = self.alone()?;
        let Some(Between { by, of, against }) = self.compare.clone() else { return Some(alone) };
        let what = match alone {
            MeasureAsked::Persons {} => None,
            MeasureAsked::Share { of } => Some(ComparedAsked::Share { of }),
            MeasureAsked::Mean { column } => Some(ComparedAsked::Mean { column }),
            MeasureAsked::Rows {}
            | MeasureAsked::Sum { .. }
            | MeasureAsked::Median { .. }
            | MeasureAsked::Quantile { .. }
            | MeasureAsked::Difference { .. }
            | MeasureAsked::Ratio { .. } => return None,
        };
        Some(match by {
            Contrast::Difference => MeasureAsked::Difference { of, against, what },
            Contrast::Ratio => MeasureAsked::Ratio { of, against, what },
        })
    }

    fn alone(&self) -> Option<MeasureAsked> {
        let column = str::to_owned;
        match self.measure.split_once(':') {
            None if self.measure == "persons" => Some(MeasureAsked::Persons {}),
            None if self.measure == "rows" => Some(MeasureAsked::Rows {}),
            None if self.measure == "share" => Some(MeasureAsked::Share { of: self.numerator.clone() }),
            Some(("sum", name)) => Some(MeasureAsked::Sum { column: column(name) }),
            Some(("mean", name)) => Some(MeasureAsked::Mean { column: column(name) }),
            Some(("median", name)) => Some(MeasureAsked::Median { column: column(name) }),
            None | Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Nanos;
    use crate::policy::admit;
    use crate::policy::sample::{analyst, closed, policy, today};

    fn shipped() -> Vec<Indicator> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/indicators");
        let (indicators, findings) = Indicator::read_dir(&folder).unwrap();
        assert!(findings.is_empty(), "{findings:?}");
        indicators
    }

    #[test]
    fn the_shipped_ones_are_admitted_by_the_shipped_policies_and_titled_in_six_languages() {
        assert!(shipped().len() >= 4);
        for indicator in shipped() {
            let asked = IndicatorAsked {
                purpose: Purpose::parse("sdg").unwrap(),
                periods: vec![Period::parse("2026").unwrap()],
                by: None,
                margins: true,
                spend: Spend::Rho(Nanos::parse("0.05").unwrap()),
            };
            let policy = policy(indicator.dataset.as_str());
            let plan = admit(&policy, &closed(&["2026"]), &analyst(), &indicator.question(&asked), today());
            assert!(plan.is_ok(), "{}: {}", indicator.code, plan.unwrap_err());
            for language in ["en", "fr", "es", "ar", "ru", "zh"] {
                assert!(indicator.title.contains_key(language), "{} {language}", indicator.code);
            }
        }
    }

    #[test]
    fn of_two_files_with_one_code_the_first_by_name_counts_and_the_other_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let text = |dataset: &str| {
            format!(
                "code = \"H1\"\ntitle = {{ en = \"t\" }}\nright = \"health\"\nkind = \"process\"\n\
                 dataset = \"{dataset}\"\nmeasure = \"persons\"\nby = []\n"
            )
        };
        for (file, dataset) in [("z.toml", "other"), ("a.toml", "first"), ("m.toml", "third")] {
            std::fs::write(folder.path().join(file), text(dataset)).unwrap();
        }
        let (indicators, mut findings) = Indicator::read_dir(folder.path()).unwrap();
        findings.sort();
        assert_eq!(indicators.iter().map(|i| i.dataset.as_str()).collect::<Vec<_>>(), ["first"]);
        assert_eq!(findings.iter().map(|(file, _)| file.as_str()).collect::<Vec<_>>(), ["m.toml", "z.toml"]);
        assert!(findings[0].1.contains("H1"), "{findings:?}");
    }

    #[test]
    fn what_is_no_indicator_is_refused_with_what_to_write() {
        let good = "code = \"H1\"\ntitle = { en = \"t\" }\nright = \"health\"\nkind = \"process\"\n\
            dataset = \"acs2024\"\nmeasure = \"share\"\nnumerator = { a = [\"b\"] }\nby = []\n";
        assert!(Indicator::parse(good).is_ok());
        for (from, to, said) in [
            ("\"H1\"", "\"../h1\"", "capital letter"),
            ("\"share\"", "\"ratio\"", "`measure` is"),
            ("\"share\"", "\"persons\"", "only a share"),
            ("numerator = { a = [\"b\"] }\n", "", "needs a `numerator`"),
            ("en = \"t\"", "fr = \"t\"", "English"),
            ("by = []", "by = []\ncolour = 1", "unknown field"),
            ("by = []", "by = []\ncompare = { by = \"sum\", of = {}, against = {} }", "unknown variant"),
            (
                "\"share\"\nnumerator = { a = [\"b\"] }\nby = []",
                "\"median:wage\"\nby = []\ncompare = { by = \"ratio\", of = { sex = [\"F\"] }, against = { sex = [\"M\"] } }",
                "can be compared",
            ),
            ("\"process\"", "\"impact\"", "unknown variant"),
        ] {
            assert!(good.contains(from));
            let wrong = Indicator::parse(&good.replace(from, to)).unwrap_err();
            assert!(wrong.contains(said), "{wrong}");
        }
    }
}
