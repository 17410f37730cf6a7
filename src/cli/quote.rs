//! A quote in words: may it be asked, what would it cost, how good would it be, what is left.

use super::error::{Alternative, CliError};
use serde::Deserialize;
use std::io::Write;

/// A quote, as far as a person at a terminal needs it.
#[derive(Debug, Deserialize)]
pub(super) struct QuoteFace {
    allowed: bool,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    cost: Option<CostFace>,
    #[serde(default)]
    cells: Option<u64>,
    #[serde(default)]
    moe: Option<MoeFace>,
    #[serde(default)]
    tables: Vec<TableFace>,
    #[serde(default)]
    parts: Vec<PartFace>,
    #[serde(default)]
    differences: Vec<DifferenceFace>,
    #[serde(default)]
    free: bool,
    #[serde(default)]
    remaining: Option<String>,
    #[serde(default)]
    alternatives: Vec<Alternative>,
}

/// The error to expect in one table.
#[derive(Debug, Deserialize)]
struct TableFace {
    by: Vec<String>,
    moe: MoeFace,
}

#[derive(Debug, Deserialize)]
struct CostFace {
    #[serde(default)]
    rho: Option<String>,
    epsilon: String,
    delta: String,
}

#[derive(Debug, Deserialize)]
struct PartFace {
    measures: String,
    implied: bool,
    tables: usize,
    cost: CostFace,
}

#[derive(Debug, Deserialize)]
struct DifferenceFace {
    measure: String,
    moe: MoeFace,
}

#[derive(Debug, Deserialize)]
struct MoeFace {
    typical: f64,
    worst: f64,
}

/// Prints a quote.
///
/// # Errors
/// [`CliError::Wrong`] if the question would be refused: a quote that says no ends with 1, like the question would.
pub(super) fn print(quote: &QuoteFace, out: &mut dyn Write) -> Result<(), CliError> {
    if !quote.allowed {
        let mut text = format!(
            "would be refused ({}): {}",
            quote.code.as_deref().unwrap_or("unknown"),
            quote.detail.as_deref().unwrap_or("no reason was given")
        );
        for alternative in &quote.alternatives {
            text.push_str("\n  instead: ");
            text.push_str(&alternative.change);
            text.push_str(&alternative.price());
        }
        return Err(CliError::Wrong(text));
    }
    if let Some(cost) = &quote.cost {
        let rho = cost.rho.as_ref().map(|rho| format!("rho {rho}, ")).unwrap_or_default();
        let free = if quote.free { "nothing: it is answered from a draw that is paid for (that was " } else { "" };
        let end = if quote.free { ")" } else { "" };
        writeln!(out, "would cost   {free}{rho}epsilon {} at delta {}{end}", cost.epsilon, cost.delta)?;
    }
    for part in quote.parts.iter().filter(|_| quote.parts.len() > 1) {
        let price = part.cost.rho.as_ref().map_or_else(|| part.cost.epsilon.clone(), |rho| format!("rho {rho}"));
        let why = if part.implied { ", which the others need" } else { "" };
        writeln!(out, "  of which   {price} for {} ({} tables{why})", part.measures, part.tables)?;
    }
    if let Some(moe) = &quote.moe {
        writeln!(
            out,
            "would give   +-{:.0} persons (95 %) in a typical cell, +-{:.0} in the worst",
            moe.typical, moe.worst
        )?;
    }
    for table in quote.tables.iter().filter(|_| quote.tables.len() > 1) {
        let name = if table.by.is_empty() { "total".to_owned() } else { table.by.join(" x ") };
        writeln!(out, "  in         {name}: +-{:.0}, at worst +-{:.0}", table.moe.typical, table.moe.worst)?;
    }
    for DifferenceFace { measure, moe } in &quote.differences {
        writeln!(out, "             +-{:.0} typically, +-{:.0} at worst, for {measure}", moe.typical, moe.worst)?;
    }
    if let Some(cells) = quote.cells {
        writeln!(out, "cells        {cells}")?;
    }
    if let Some(remaining) = &quote.remaining {
        writeln!(out, "left         {remaining}")?;
    }
    Ok(writeln!(out, "nothing was spent and no data were touched")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(json: serde_json::Value) -> Result<String, CliError> {
        let mut out = Vec::new();
        print(&serde_json::from_value(json).unwrap(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_quote_says_price_and_error() {
        let text = printed(serde_json::json!({
            "allowed": true, "cost": {"rho": "0.01", "epsilon": "0.83", "delta": "1e-9"}, "cells": 104,
            "moe": {"typical": 19.4, "worst": 31.2}, "tables": [
                {"by": ["adm1", "sex"], "cells": 100, "moe": {"typical": 19.4, "worst": 31.2}},
                {"by": [], "cells": 1, "moe": {"typical": 9.0, "worst": 9.0}}
            ], "free": false, "remaining": "0.19", "alternatives": []
        }))
        .unwrap();
        assert!(text.contains("rho 0.01, epsilon 0.83 at delta 1e-9"), "{text}");
        assert!(text.contains("+-19 persons (95 %) in a typical cell, +-31 in the worst"), "{text}");
        assert!(text.contains("in         adm1 x sex: +-19, at worst +-31"), "{text}");
        assert!(text.contains("in         total: +-9, at worst +-9"), "{text}");
    }

    #[test]
    fn a_quote_that_says_no_ends_with_one_and_names_what_would_do() {
        let error = printed(serde_json::json!({
            "allowed": false, "code": "cross_forbidden", "detail": "no", "free": false,
            "alternatives": [{"change": "leave out adm2", "question": {}}]
        }))
        .unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert_eq!(error.to_string(), "would be refused (cross_forbidden): no\n  instead: leave out adm2");
    }
}
