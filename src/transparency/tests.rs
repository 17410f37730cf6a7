//! The offline verifier against liars: those who edit the log, and those who hold its key and sign what must not be.

use super::*;
use crate::budget::Accounting;
use crate::identity::{
    AccountId, ClaimId, DatasetId, Digest, Organisation, Period, ReleaseId, Role, SubmissionId, TokenId,
};
use std::collections::BTreeMap;

struct People {
    officers: [TokenId; 2],
    operator: TokenId,
    claim: ClaimId,
    submission: SubmissionId,
}

fn people() -> People {
    People {
        officers: [TokenId::random(), TokenId::random()],
        operator: TokenId::random(),
        claim: ClaimId::random(),
        submission: SubmissionId::random(),
    }
}

fn dataset() -> DatasetId {
    DatasetId::parse("visits").unwrap()
}

fn sha256() -> Digest {
    Digest::of(b"policy")
}

fn reserved(claim: &ClaimId, nanos: u64) -> Leaf {
    let account = AccountId::parse("visitors").unwrap();
    Leaf::ChargeReserved { account, claim: claim.clone(), nanos, commitment: sha256() }
}

fn settled(claim: &ClaimId, nanos: u64) -> Leaf {
    let account = AccountId::parse("visitors").unwrap();
    Leaf::ChargeSettled { account, claim: claim.clone(), nanos, commitment: sha256() }
}

fn voided(claim: &ClaimId, nanos: u64) -> Leaf {
    let account = AccountId::parse("visitors").unwrap();
    Leaf::ChargeVoided { account, claim: claim.clone(), nanos, commitment: sha256() }
}

fn in_force(officers: Vec<TokenId>, account: &str, lifetime_nanos: u64) -> Leaf {
    Leaf::PolicyInForce {
        dataset: dataset(),
        version: 1,
        sha256: sha256(),
        officers,
        account: AccountId::parse(account).unwrap(),
        accounting: Accounting::Zcdp,
        lifetime_nanos,
        shares_nanos: BTreeMap::new(),
    }
}

fn edition(number: u32) -> Leaf {
    Leaf::EditionClosed {
        dataset: dataset(),
        period: Period::parse("2026").unwrap(),
        number,
        commitment: Digest::of(b"ids"),
    }
}

fn submission(id: &SubmissionId, withdrawn: bool) -> Leaf {
    let (submission, dataset, period) = (id.clone(), dataset(), Period::parse("2026").unwrap());
    let (organisation, commitment) = (Organisation::parse("ministry").unwrap(), Digest::of(b"receipt"));
    if withdrawn {
        Leaf::SubmissionWithdrawn { submission, organisation, dataset, period, commitment }
    } else {
        Leaf::SubmissionAccepted { submission, organisation, dataset, period, commitment }
    }
}

fn issued(token: &TokenId, role: Role, by: Option<&TokenId>) -> Leaf {
    Leaf::TokenIssued { token: token.clone(), role, by: by.cloned() }
}

/// An honest log: a policy by two officers, a submission, an edition, a paid release.
fn honest(who: &People) -> Vec<Leaf> {
    let [one, two] = &who.officers;
    let decided = |officer: &TokenId| (dataset(), 1, sha256(), officer.clone());
    let (dataset, version, sha256, officer) = decided(one);
    let proposed = Leaf::PolicyProposed { dataset, version, sha256, officer };
    let (dataset, version, sha256, officer) = decided(two);
    let approved = Leaf::PolicyApproved { dataset, version, sha256, officer };
    vec![
        Leaf::SettingsChanged { approvals: 2, witness: true, sha256 },
        issued(one, Role::Officer, None),
        issued(two, Role::Officer, None),
        issued(&who.operator, Role::Operator, None),
        proposed,
        approved,
        in_force(who.officers.to_vec(), "visitors", 100),
        submission(&who.submission, false),
        edition(1),
        reserved(&who.claim, 60),
        settled(&who.claim, 60),
        Leaf::Release { release: ReleaseId::random(), sha256: Digest::of(b"body"), claim: who.claim.clone() },
    ]
}

/// What a verifier says of leaves whose head the holder of the key signs.
fn codes(leaves: &[Leaf]) -> Vec<&'static str> {
    let mut verifier = Verifier::default();
    let mut tree = Tree::default();
    for leaf in leaves {
        let text = leaf.canonical().unwrap();
        tree.push(text.as_bytes());
        verifier.push(&text);
    }
    let report = verifier.finish(Head { size: tree.size(), root: tree.root() }, "key").0;
    report.findings.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn an_honest_log_holds_and_its_report_says_what_was_spent() {
    let who = people();
    assert_eq!(codes(&honest(&who)), Vec::<&str>::new());
}

// G12
#[test]
fn every_edit_deletion_insertion_reordering_and_truncation_is_found_against_the_signed_head() {
    let leaves: Vec<String> = honest(&people()).iter().map(|leaf| leaf.canonical().unwrap()).collect();
    let mut tree = Tree::default();
    for leaf in &leaves {
        tree.push(leaf.as_bytes());
    }
    let signed = Head { size: tree.size(), root: tree.root() };
    let found = |leaves: &[String]| {
        let mut verifier = Verifier::default();
        for leaf in leaves {
            verifier.push(leaf);
        }
        !verifier.finish(signed, "key").0.findings.is_empty()
    };
    assert!(!found(&leaves));
    for place in 0..leaves.len() {
        let mut edited = leaves.clone();
        edited[place] = edited[place].replace("\"kind\"", "\"kine\"");
        assert!(found(&edited));
        let mut deleted = leaves.clone();
        deleted.remove(place);
        assert!(found(&deleted));
        let mut inserted = leaves.clone();
        inserted.insert(place, leaves[place].clone());
        assert!(found(&inserted));
        let mut swapped = leaves.clone();
        swapped.swap(place, (place + 1) % leaves.len());
        assert!(found(&swapped));
        assert!(found(&leaves[..place]));
    }
}

#[test]
fn a_head_that_was_kept_finds_a_rollback_and_a_fork() {
    let (who, other) = (people(), people());
    let kept = |leaves: &[Leaf]| {
        let mut tree = Tree::default();
        for leaf in leaves {
            tree.push(leaf.canonical().unwrap().as_bytes());
        }
        Head { size: tree.size(), root: tree.root() }
    };
    let verify = |known: Head, leaves: &[Leaf]| {
        let mut verifier = Verifier::default();
        verifier.expect(known);
        for leaf in leaves {
            verifier.push(&leaf.canonical().unwrap());
        }
        let (report, _) = verifier.finish(kept(leaves), "key");
        report.findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    let leaves = honest(&who);
    assert!(verify(kept(&leaves[..9]), &leaves).is_empty());
    assert!(verify(kept(&leaves), &leaves).is_empty());
    assert_eq!(verify(kept(&leaves), &leaves[..9]), ["rolled_back"]);
    assert_eq!(verify(kept(&honest(&other)[..9]), &leaves), ["history_differs"]);
}

// G6, G10: the holder of the key signs, and is found all the same.
#[test]
fn what_must_not_be_is_found_even_when_the_holder_of_the_key_signs_it() {
    let who = people();
    let (stranger, second) = (TokenId::random(), ClaimId::random());
    let release = |claim: &ClaimId| Leaf::Release {
        release: ReleaseId::random(),
        sha256: Digest::of(b"other"),
        claim: claim.clone(),
    };
    let lies: Vec<(&str, Vec<Leaf>)> = vec![
        ("overspent", vec![reserved(&second, 41)]),
        ("overspent", vec![reserved(&second, 0)]),
        ("claim_twice", vec![reserved(&who.claim, 1)]),
        ("claim_ended", vec![settled(&second, 1)]),
        ("claim_ended", vec![voided(&who.claim, 60)]),
        ("claim_ended", vec![reserved(&second, 9), voided(&second, 10)]),
        ("release_unpaid", vec![release(&second)]),
        ("release_unpaid", vec![reserved(&second, 9), release(&second)]),
        ("release_unpaid", vec![reserved(&second, 9), voided(&second, 9), release(&second)]),
        ("edition_number", vec![edition(3)]),
        ("edition_number", vec![edition(1)]),
        ("submission_twice", vec![submission(&who.submission, false)]),
        ("submission_unknown", vec![submission(&who.submission, true), submission(&who.submission, true)]),
        ("submission_unknown", vec![submission(&SubmissionId::random(), true)]),
        ("policy_approvals", vec![in_force(who.officers.to_vec(), "visitors", 1_000)]),
        ("token", vec![issued(&stranger, Role::Officer, Some(&who.operator))]),
        ("token", vec![issued(&stranger, Role::Analyst, Some(&who.officers[0]))]),
        ("token", vec![issued(&who.operator, Role::Operator, None)]),
        (
            "suspension",
            vec![Leaf::DatasetSuspended {
                dataset: dataset(),
                version: 1,
                sha256: sha256(),
                officer: stranger.clone(),
            }],
        ),
        (
            "release_unknown",
            vec![Leaf::ReleaseSuperseded { release: ReleaseId::random(), notice: "nothing".to_owned() }],
        ),
    ];
    for (code, lie) in lies {
        let mut leaves = honest(&who);
        leaves.extend(lie.clone());
        assert!(codes(&leaves).contains(&code), "{code} {lie:?}: {:?}", codes(&leaves));
    }
}

#[test]
fn a_policy_without_its_two_officers_is_found() {
    let who = people();
    let leaves = honest(&who);
    let without = |places: &[usize]| {
        let kept = leaves.iter().enumerate().filter(|(place, _)| !places.contains(place));
        codes(&kept.map(|(_, leaf)| leaf.clone()).collect::<Vec<_>>())
    };
    assert!(without(&[4]).contains(&"policy_approval"));
    assert!(without(&[5]).contains(&"policy_approvals"));
    assert!(without(&[4, 5]).contains(&"policy_approvals"));
    assert!(without(&[6]).contains(&"account_unknown"));
    // Officers whose tokens nobody issued, and one who approves the own proposal.
    assert!(without(&[1]).contains(&"policy_version"));
    assert!(without(&[2]).contains(&"policy_approval"));
    let mut alone = leaves.clone();
    alone[5] =
        Leaf::PolicyApproved { dataset: dataset(), version: 1, sha256: sha256(), officer: who.officers[0].clone() };
    assert!(codes(&alone).contains(&"policy_approval"));
}

#[test]
fn voided_budget_may_be_reserved_again_and_no_more() {
    let (who, second, third) = (people(), ClaimId::random(), ClaimId::random());
    let mut leaves = honest(&who);
    leaves.extend([reserved(&second, 40), voided(&second, 40), reserved(&third, 40), settled(&third, 40)]);
    assert_eq!(codes(&leaves), Vec::<&str>::new());
    leaves.push(reserved(&ClaimId::random(), 1));
    assert_eq!(codes(&leaves), ["overspent"]);
}
