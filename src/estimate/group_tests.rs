//! Tables at several levels of a column, through admitted plans, held to a dense least squares.

use super::estimate;
use super::reference::{Dice, Form, cells_of, dense};
use crate::noise::{NoisyTable, NoisyTables};
use crate::policy::sample::{analyst, bare, closed, lists, question, today};
use crate::policy::{Plan, Policy, Question, Shown, admit};

/// The form of each cell of a shown table over the cells of everything measured.
fn forms(plan: &Plan, sizes: &[usize], shown: &Shown) -> Vec<Form> {
    let whole: Vec<usize> = (0..sizes.len()).collect();
    let leaves = cells_of(sizes, &whole);
    let cells = plan.cells_of(shown);
    let count: usize = cells.levels().iter().map(Vec::len).product();
    let held = |place: usize, leaf: usize| {
        let at = cells.at(place);
        whole.iter().all(|&dim| {
            let level = leaf / sizes[dim + 1..].iter().product::<usize>() % sizes[dim];
            let cut = plan.cuts.iter().find(|cut| cut.dim == dim);
            let inside = at.get(&dim).copied().or(cut.map(|cut| cut.levels.as_slice()));
            inside.is_none_or(|inside| inside.contains(&level))
        })
    };
    let form = |place| (0..leaves.len()).map(|leaf| f64::from(u8::from(held(place, leaf)))).collect();
    (0..count).map(form).collect()
}

/// Figures in the order of cells, in the order of a table's own dimensions.
fn as_counted(plan: &Plan, dims: &[usize], values: &[i64]) -> Vec<i64> {
    let order = plan.cells_of(&Shown { dims: dims.to_vec() }).dims();
    let size = |dim: usize| plan.dimensions[dim].levels.len();
    let place = |mut cell: usize| {
        let mut code = vec![0; plan.dimensions.len()];
        for &dim in order.iter().rev() {
            code[dim] = cell % size(dim);
            cell /= size(dim);
        }
        dims.iter().fold(0, |place, &dim| place * size(dim) + code[dim])
    };
    let mut counted = vec![0; values.len()];
    for (cell, value) in values.iter().enumerate() {
        counted[place(cell)] = *value;
    }
    counted
}

fn random_question(dice: &mut Dice) -> Question {
    let column = |dice: &mut Dice| [&["adm1", "region"][..], &["urban"], &["mig_status", "footing"]][dice.below(3)];
    let mut tables = Vec::new();
    for _ in 0..=dice.below(3) {
        let mut table: Vec<String> = Vec::new();
        for _ in 0..=dice.below(2) {
            let levels = column(dice);
            if !levels.iter().any(|level| table.iter().any(|other| other == level)) {
                table.push(levels[dice.below(levels.len())].to_owned());
            }
        }
        tables.push(table);
    }
    let mut asked = question("residence", &[], &["2026-Q1"], "0.02");
    (asked.by, asked.tables, asked.margins) = (None, Some(tables), dice.below(2) == 0);
    match dice.below(4) {
        0 => drop(asked.filter.insert("adm1".into(), vec!["XA-01".into(), "XA-02".into(), "XA-05".into()])),
        1 => drop(asked.filter.insert("region".into(), vec!["XA-N".into()])),
        _ => {}
    }
    asked
}

/// How many cells were compared, and whether a dimension was measured at several levels.
fn compare(policy: &Policy, seed: u64) -> (usize, bool) {
    let mut dice = Dice::new(seed);
    let asked = random_question(&mut dice);
    let plan = match admit(policy, &closed(&["2026-Q1"]), &analyst(), &asked, today()) {
        Ok(plan) => plan,
        Err(refused) => panic!("{asked:?}: {refused}"),
    };
    let sizes: Vec<usize> = plan.measured_dimensions().map(|(_, d)| d.levels.len()).collect();
    let mut whole = plan.clone();
    whole.cuts = Vec::new();
    let mut tables = Vec::new();
    let mut observed = Vec::new();
    for measured in &plan.measured {
        let variance = crate::design::gaussian_variance(measured.units, measured.l2_squared);
        let forms = forms(&whole, &sizes, &Shown { dims: measured.dims.clone() });
        let values: Vec<i64> = forms.iter().map(|_| i64::try_from(dice.below(200)).unwrap() - 20).collect();
        let noted =
            forms.into_iter().zip(&values).map(|(form, &y)| (form, f64::from(i32::try_from(y).unwrap()), variance));
        observed.extend(noted);
        let values = as_counted(&whole, &measured.dims, &values);
        tables.push(NoisyTable { dims: measured.dims.clone(), values, variance });
    }
    let estimated = estimate(&plan, &NoisyTables { accounting: plan.accounting, tables }).unwrap();
    let wanted: Vec<Form> = plan.shown.iter().flat_map(|shown| forms(&plan, &sizes, shown)).collect();
    let (values, covariances) = dense(&observed, &[], &wanted);
    let mine: Vec<(f64, f64)> = estimated
        .iter()
        .flat_map(|table| table.values.iter().copied().zip(table.standard_errors.iter().map(|error| error * error)))
        .collect();
    assert_eq!(mine.len(), wanted.len());
    for (at, (value, variance)) in mine.iter().enumerate() {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()));
        assert!(close(*value, values[at]), "case {seed}, cell {at}: {value}, reference {}", values[at]);
        assert!(close(*variance, covariances[at][at]), "case {seed}: {variance}, reference {}", covariances[at][at]);
    }
    (mine.len(), plan.nesting().is_some())
}

#[test]
fn groups_have_the_values_and_variances_of_a_dense_least_squares() {
    let list = "code,parent\nsure,\nunsure,\nregular_permanent,sure\nregular_temporary,sure\nasylum_seeker,unsure\n\
        irregular,unsure\npending,unsure\nstateless,\n";
    let provinces = "code,parent\nXA-N,\nXA-S,\nXA-01,XA-N\nXA-02,XA-N\nXA-05,XA-S\nXA-06,XA-S\nXA-03,\n";
    let mut lists = lists();
    lists.0.insert("CL_ADM1_XA".into(), provinces.into());
    lists.0.insert("CL_MIG_STATUS".into(), list.into());
    let grouping = "[[grouping]]\nname = \"footing\"\ncolumn = \"mig_status\"\nlevel = 1\n\n[cells]\n";
    let text = bare("residence").replacen("[cells]\n", grouping, 1);
    // Rules about people without papers stand in the way of random tables, and are tried elsewhere.
    let (head, _) = text.split_once("[[forbid]]").unwrap();
    let policy = Policy::parse(head, &lists).unwrap_or_else(|f| panic!("{f:#?}")).0;
    let compared: Vec<(usize, bool)> = (0..100).map(|seed| compare(&policy, seed)).collect();
    assert!(compared.iter().map(|(cells, _)| cells).sum::<usize>() > 1_000);
    assert!(compared.iter().filter(|(_, nested)| *nested).count() > 15, "{compared:?}");
}
