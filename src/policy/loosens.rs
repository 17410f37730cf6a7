//! In what a new policy is looser than the one in force: what two officers are asked to read before they approve.
//!
//! A list of sentences, empty when nothing is looser. Doubt counts as looser: a rule that was changed rather than made
//! stricter is named.

use super::{Column, Forbid, Kind, Policy, Require, RunRule};
use std::collections::BTreeSet;

/// What `new` allows that `old` did not, in sentences.
#[must_use]
pub fn loosens(old: &Policy, new: &Policy) -> Vec<String> {
    let mut looser = Vec::new();
    budget(old, new, &mut looser);
    people(old, new, &mut looser);
    time(old, new, &mut looser);
    cells(old, new, &mut looser);
    columns(old, new, &mut looser);
    groupings(old, new, &mut looser);
    rules(old, new, &mut looser);
    looser
}

/// Notes a number that grew.
fn grows<N: PartialOrd + std::fmt::Display>(what: &str, old: &N, new: &N, looser: &mut Vec<String>) {
    if new > old {
        looser.push(format!("{what}: {old} becomes {new}"));
    }
}

fn budget(old: &Policy, new: &Policy, looser: &mut Vec<String>) {
    let (before, after) = (&old.budget, &new.budget);
    if before.account != after.account {
        looser.push(format!("another account pays: {} becomes {}", before.account, after.account));
    }
    if before.accounting != after.accounting {
        looser.push("the accounting changes; its amounts cannot be compared".to_owned());
    }
    grows("lifetime budget", &before.lifetime, &after.lifetime, looser);
    grows("price of one question", &before.per_release_max, &after.per_release_max, looser);
    match (&before.quota_per_organisation, &after.quota_per_organisation) {
        (Some(before), Some(after)) => grows("quota of one organisation", before, after, looser),
        (Some(_), None) => looser.push("the quota of one organisation is dropped".to_owned()),
        (None, _) => {}
    }
    let purposes: BTreeSet<_> = before.shares.keys().chain(after.shares.keys()).collect();
    for purpose in purposes {
        match (before.shares.get(purpose), after.shares.get(purpose)) {
            (Some(before), Some(after)) => grows(&format!("share of {purpose}"), before, after, looser),
            (Some(_), None) => looser.push(format!("the share of {purpose} is dropped: others may spend it")),
            (None, _) => {}
        }
    }
    if after.delta_value > before.delta_value {
        looser.push(format!("delta: {} becomes {}", before.delta, after.delta));
    }
    for program in &new.programs {
        match old.programs.iter().find(|p| p.id == program.id) {
            Some(before) => {
                grows(&format!("price of program {}", program.id), &before.spend, &program.spend, looser);
                if before.run != program.run && program.run == RunRule::OnClose {
                    looser.push(format!("program {} runs by itself at each closing", program.id));
                }
            }
            None => looser.push(format!("a new program: {} at {}", program.id, program.spend)),
        }
    }
}

fn people(old: &Policy, new: &Policy, looser: &mut Vec<String>) {
    for class in old.deny_classes.difference(&new.deny_classes) {
        looser.push(format!("organisations of class {class} are no longer denied"));
    }
    for purpose in new.purposes.difference(&old.purposes) {
        looser.push(format!("a new purpose: {purpose}"));
    }
    for (organisation, patterns) in &new.submitters {
        match old.submitters.get(organisation) {
            None => looser.push(format!("a new submitter: {organisation}")),
            Some(before) if patterns.iter().any(|p| !before.contains(p)) => {
                looser.push(format!("{organisation} may send other periods"));
            }
            Some(_) => {}
        }
    }
    if old.releases.restricted && !new.releases.restricted {
        looser.push("releases become public".to_owned());
    }
    let days = |policy: &Policy| policy.releases.publish_after_days;
    if days(new) < days(old) {
        looser.push(format!("embargo: {} days become {}", days(old), days(new)));
    }
    if old.unit.person != new.unit.person || old.unit.id != new.unit.id {
        looser.push("persons are told apart in another way: sensitivity is bounded for other persons".to_owned());
    }
    grows("rows of one person in a period", &old.unit.rows_max, &new.unit.rows_max, looser);
    grows("periods one question may pool", &old.unit.periods_max, &new.unit.periods_max, looser);
}

fn time(old: &Policy, new: &Policy, looser: &mut Vec<String>) {
    grows("last day in force", &old.expires, &new.expires, looser);
    if new.effective < old.effective {
        looser.push(format!("first day in force: {} becomes {}", old.effective, new.effective));
    }
    grows("days until microdata are erased", &old.retention_days, &new.retention_days, looser);
    if old.editions != new.editions && new.editions == super::EditionRule::Automatic {
        looser.push("each submission closes its period by itself".to_owned());
    }
    if old.frequency != new.frequency {
        looser.push("periods have another rhythm".to_owned());
    }
}

fn cells(old: &Policy, new: &Policy, looser: &mut Vec<String>) {
    let (before, after) = (&old.cells, &new.cells);
    if after.threshold < before.threshold {
        looser.push(format!("threshold: {} becomes {}", before.threshold, after.threshold));
    }
    if after.round_to < before.round_to {
        looser.push(format!("rounding: to {} becomes to {}", before.round_to, after.round_to));
    }
    grows("dimensions of one table", &before.dims_max, &after.dims_max, looser);
    grows("cells of one question", &before.cells_max, &after.cells_max, looser);
    grows("relative margin of error before a flag", &before.moe_relative_max, &after.moe_relative_max, looser);
    for (rule, before, after) in [
        ("unreliable figures are no longer withheld", before.withhold_unreliable, after.withhold_unreliable),
        ("withheld cells are to have no partners", before.complementary, after.complementary),
    ] {
        if before && !after {
            looser.push(rule.to_owned());
        }
    }
}

fn columns(old: &Policy, new: &Policy, looser: &mut Vec<String>) {
    for column in new.columns.iter().filter(|c| c.kind != Kind::Ignored) {
        let name = &column.name;
        match old.column(name) {
            None => looser.push(format!("a new column: {name}")),
            Some(before) if before.kind == Kind::Ignored => looser.push(format!("{name} is no longer ignored")),
            Some(before) => changed(before, column, looser),
        }
    }
}

/// A grouping is a dimension more; one that groups otherwise shows other groups.
fn groupings(old: &Policy, new: &Policy, looser: &mut Vec<String>) {
    for grouping in &new.groupings {
        let name = &grouping.name;
        match old.groupings.iter().find(|before| before.name == *name) {
            None => looser.push(format!("a new grouping: {name}")),
            Some(before) if before.of != grouping.of || before.kind != grouping.kind => {
                looser.push(format!("{name} groups codes in another way"));
            }
            Some(before) => changed(before, grouping, looser),
        }
    }
}

fn changed(before: &Column, after: &Column, looser: &mut Vec<String>) {
    let name = &after.name;
    if before.per != after.per {
        looser.push(format!("{name} describes something else: its sensitivity changes"));
    }
    if before.geo_level != after.geo_level {
        looser.push(format!("{name} is of another geographic level: rules for geography see it differently"));
    }
    match (&before.kind, &after.kind) {
        (Kind::Dimension { codes: old, .. }, Kind::Dimension { codes: new, .. }) => {
            let added = new.codes.iter().filter(|c| old.position(&c.id).is_none()).count();
            if added > 0 {
                looser.push(format!("{name} has {added} new codes"));
            }
        }
        (Kind::Measure(old), Kind::Measure(new)) if old != new => {
            looser.push(format!("{name} has other bounds, bins or decimals"));
        }
        (Kind::Measure(_), Kind::Measure(_)) => {}
        (Kind::Dimension { .. } | Kind::Measure(_) | Kind::Ignored, _) => {
            looser.push(format!("{name} has another role"));
        }
    }
}

fn rules(old: &Policy, new: &Policy, looser: &mut Vec<String>) {
    let kept = |forbid: &&Forbid| {
        let as_wide = |f: &Forbid| f.cross.is_subset(&forbid.cross) && f.spares.is_subset(&forbid.spares);
        new.forbids.iter().any(as_wide)
    };
    for forbid in old.forbids.iter().filter(|f| !kept(f)) {
        let cross = forbid.cross.iter().map(String::as_str).collect::<Vec<_>>().join(" x ");
        looser.push(format!("{cross} is no longer forbidden, or spares more groupings"));
    }
    for require in old.requires.iter().filter(|r| !new.requires.iter().any(|n| at_least_as_strict(n, r))) {
        let columns = require.when.keys().map(String::as_str).collect::<Vec<_>>().join(" and ");
        looser.push(format!("a stricter rule for codes of {columns} is dropped or changed"));
    }
    for group in old.vulnerable.iter().filter(|group| !new.vulnerable.contains(group)) {
        let columns = group.keys().map(String::as_str).collect::<Vec<_>>().join(" x ");
        looser.push(format!("releases no longer say how many cells of a group by {columns} they show"));
    }
    for zero in new.structural_zeros.iter().filter(|z| !old.structural_zeros.contains(z)) {
        let columns = zero.keys().map(String::as_str).collect::<Vec<_>>().join(" x ");
        looser.push(format!("cells of {columns} are newly declared impossible and shown as 0"));
    }
}

/// Whether a rule applies wherever another did, and demands as much.
fn at_least_as_strict(new: &Require, old: &Require) -> bool {
    let wider = new.when.iter().all(|(column, codes)| old.when.get(column).is_some_and(|o| o.is_subset(codes)));
    let upper = |new: Option<u32>, old: Option<u32>| old.is_none_or(|old| new.is_some_and(|new| new <= old));
    let level = |rule: &super::CombinationRule| rule.geo_level_max.map(u32::from);
    wider
        && upper(new.rule.dims_max, old.rule.dims_max)
        && upper(level(&new.rule), level(&old.rule))
        && old.rule.threshold.is_none_or(|old| new.rule.threshold.is_some_and(|new| new >= old))
}
