//! What the vault promises: sealed, bounded, erasable.

use super::test_vault::{Kept, Row, TestVault, row, submission};
use super::*;
use crate::policy::{CodeList, Column, Kind, Measure, Per};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

const CSV: &str = "person_id,sex,region,service,cost\n\
    MARKER-ID-90210,F,NORTH,health,7777777\n\
    MARKER-ID-90210,F,NORTH,shelter,\n\
    MARKER-ID-55555,M,WEST,school,12\n";

/// A cost of seven sevens must pass the clamp for the byte scan to mean anything.
fn generous(rows_max: u32) -> Policy {
    let mut policy = Policy::for_vault_test(rows_max);
    bounds(&mut policy, 0, 10_000_000);
    policy
}

fn bounds(policy: &mut Policy, low: i64, high: i64) {
    let cost = policy.columns.last_mut().unwrap();
    cost.kind = Kind::Measure(Measure {
        scale: 0,
        unit: "USD".into(),
        min: low,
        max: high,
        missing_allowed: true,
        bins: vec![],
    });
}

fn holds(bytes: &[u8], marker: &[u8]) -> bool {
    bytes.windows(marker.len()).any(|window| window == marker)
}

#[test]
fn what_passes_the_door_comes_back_from_an_edition() {
    let test = TestVault::new();
    let policy = generous(5);
    let sealed = test.send(&policy, CSV).unwrap();
    assert_eq!(sealed.reading.rows_accepted, 3);
    let edition = test.close(&policy, "2026", &[submission(1, sealed.files, &sealed.coding)]);
    let mut rows = test.rows(&edition);
    for row in &mut rows {
        row.ordinal = 0;
    }
    rows.sort();
    let expected = |rank, codes: [u16; 3], cost| Kept { ordinal: 0, rank, codes: codes.to_vec(), cost };
    assert_eq!(
        rows,
        [expected(0, [0, 0, 0], Some(7_777_777)), expected(0, [1, 3, 1], Some(12)), expected(1, [0, 0, 2], None)]
    );
}

#[test]
fn a_refused_file_leaves_neither_file_nor_key() {
    let test = TestVault::new();
    let mut csv = CSV.to_owned();
    csv.push_str("P3,NOT-A-SEX,NORTH,health,1\n");
    assert!(matches!(test.send(&generous(1), &csv), Err(VaultError::Rejected(_))));
    assert!(fs::read_dir(test.path().join("data/files")).unwrap().next().is_none());
    assert!(fs::read_dir(test.path().join("keys/files")).unwrap().next().is_none());
}

#[test]
fn a_chunk_written_before_the_fault_goes_too() {
    let test = TestVault::new();
    let policy = generous(1);
    let _kept = test.send(&policy, CSV).unwrap();
    let coding = Coding::of(&policy);
    let mut chunks = chunk::Chunks::new(&test.vault.0, &coding).unwrap();
    let batch = crate::submission::RowBatch {
        persons: vec![crate::submission::PersonKey([7; 16]); 1 << 18],
        row_numbers: (1..=1 << 18).collect(),
        columns: vec![
            crate::submission::ColumnValues::Codes(vec![0; 1 << 18]),
            crate::submission::ColumnValues::Codes(vec![0; 1 << 18]),
            crate::submission::ColumnValues::Codes(vec![0; 1 << 18]),
            crate::submission::ColumnValues::Numbers(vec![None; 1 << 18]),
        ],
    };
    crate::submission::Sink::take(&mut chunks, crate::sensitive::Sensitive::new(batch)).unwrap();
    assert_eq!(fs::read_dir(test.path().join("data/files")).unwrap().count(), 2, "the chunk was written");
    drop(chunks);
    assert_eq!(fs::read_dir(test.path().join("data/files")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(test.path().join("keys/files")).unwrap().count(), 1);
}

// G14
#[test]
fn nothing_readable_lies_in_the_vault() {
    let test = TestVault::new();
    let policy = generous(5);
    // Enough rows that a plain column would show its pattern.
    let mut csv = CSV.to_owned();
    for person in 0..2_000 {
        writeln!(csv, "MARKER-ID-{person},F,NORTH,shelter,7777777").unwrap();
    }
    let sealed = test.send(&policy, &csv).unwrap();
    let _edition = test.close(&policy, "2026", &[submission(1, sealed.files, &sealed.coding)]);
    let number = 7_777_777_i64.to_le_bytes();
    let markers: [&[u8]; 9] =
        [b"MARKER", b"NORTH", b"shelter", b"service", b"ordinal", b"row_number", b"7777777", &number, b"edition 1"];
    let control: Vec<u8> = [csv.as_bytes(), b"ordinal row_number edition 1", &number].concat();
    for marker in markers {
        assert!(holds(&control, marker), "the scan would miss this marker");
        for (path, bytes) in TestVault::files_below(test.path()) {
            assert!(!holds(&bytes, marker), "{} holds a marker", path.display());
        }
    }
}

#[test]
fn a_copy_without_the_key_is_sealed() {
    let test = TestVault::new();
    let policy = generous(1);
    let sealed = test.send(&policy, CSV).unwrap();
    let files = sealed.files.clone();
    fs::remove_file(test.path().join("keys/kek")).unwrap();
    let copy = Vault::open(test.settings()).unwrap();
    assert!(copy.sealed());
    let sealed_row = [submission(1, sealed.files, &sealed.coding)];
    let refused = [
        copy.person_keyer(&policy.id, IdForm::Raw).map(drop),
        copy.close(&policy, &sealed_row).map(drop),
        copy.erase(&files),
        copy.strays().map(drop),
        copy.seal("draw", b"1").map(drop),
        copy.unseal("draw", b"1").map(drop),
        copy.verify(&files).map(drop),
        copy.look(&files[0], &[]).map(drop),
    ];
    for refusal in refused {
        assert!(matches!(refusal, Err(VaultError::Sealed)), "{refusal:?}");
    }
    assert!(copy.0.path(&files[0].id).exists(), "a sealed vault sweeps nothing");
}

#[test]
fn another_vaults_key_or_an_exposed_one_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (test, other) = (TestVault::new(), TestVault::new());
    let kek = test.path().join("keys/kek");
    assert_eq!(fs::metadata(&kek).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Vault::open(test.settings()), Err(VaultError::KeyExposed)));
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(!Vault::open(test.settings()).unwrap().sealed());
    fs::copy(other.path().join("keys/kek"), &kek).unwrap();
    assert!(matches!(Vault::open(test.settings()), Err(VaultError::KeyWrong)));
    assert!(matches!(Vault::init(&test.settings()), Err(VaultError::Initialised)));
}

#[test]
fn a_changed_file_is_refused_before_any_parser_sees_it() {
    let test = TestVault::new();
    let sealed = test.send(&generous(1), CSV).unwrap();
    let entry = &sealed.files[0];
    let path = test.vault.0.path(&entry.id);
    let whole = fs::read(&path).unwrap();
    test.vault.verify(&sealed.files).unwrap();
    let last = whole.len() - 1;
    for place in [0, 4, whole.len() / 2, last - 8, last] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(matches!(test.vault.look(entry, &[]).map(drop), Err(VaultError::Tampered { .. })));
    }
    fs::write(&path, &whole[..last]).unwrap();
    assert!(matches!(test.vault.verify(&sealed.files), Err(VaultError::Tampered { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(test.vault.verify(&sealed.files), Err(VaultError::Tampered { .. })));
}

#[test]
fn a_file_put_in_anothers_place_does_not_open_even_if_the_manifest_is_forged() {
    let test = TestVault::new();
    let policy = generous(1);
    let one = test.send(&policy, CSV).unwrap().files.remove(0);
    let two = test.send(&policy, CSV).unwrap().files.remove(0);
    fs::copy(test.vault.0.path(&one.id), test.vault.0.path(&two.id)).unwrap();
    let forged = FileEntry { id: two.id.clone(), ..one.clone() };
    assert!(matches!(test.vault.look(&forged, &[]).map(drop), Err(VaultError::Format(_))));
    // Even under the other file's key: the id is bound into every module.
    let key = test.vault.0.keys.of(&one.id).unwrap();
    let wrapped = test.vault.0.keys.provider().unwrap().wrap(&format!("file {}", two.id), &key).unwrap();
    fs::write(test.path().join("keys/files").join(two.id.as_str()), wrapped).unwrap();
    assert!(matches!(test.vault.look(&forged, &[]).map(drop), Err(VaultError::Format(_))));
}

#[test]
fn an_erased_file_stays_erased_though_a_backup_brings_its_bytes_back() {
    let test = TestVault::new();
    let sealed = test.send(&generous(1), CSV).unwrap();
    let path = test.vault.0.path(&sealed.files[0].id);
    let backup = fs::read(&path).unwrap();
    test.vault.erase(&sealed.files).unwrap();
    test.vault.erase(&sealed.files).unwrap();
    assert!(!path.exists());
    fs::write(&path, backup).unwrap();
    assert!(matches!(test.vault.look(&sealed.files[0], &[]).map(drop), Err(VaultError::Erased { .. })));
}

#[test]
fn a_sweep_leaves_what_the_manifest_knows_and_nothing_else() {
    let test = TestVault::new();
    let policy = generous(1);
    let [known, stray, underway] = [(); 3].map(|()| test.send(&policy, CSV).unwrap());
    known.uncommitted.end();
    drop(stray.uncommitted);
    fs::write(test.path().join("keys/files/.new-torn"), b"x").unwrap();
    test.vault.sweep(test.vault.strays().unwrap(), &known.files.iter().map(|file| file.id.clone()).collect()).unwrap();
    for kept in [&known.files[0], &underway.files[0]] {
        test.vault.look(kept, &[]).map(drop).unwrap();
    }
    assert!(!test.vault.0.path(&stray.files[0].id).exists());
    let keys = || fs::read_dir(test.path().join("keys/files")).unwrap().count();
    assert_eq!(keys(), 3, "two keys, and what may be a key in the making");
    drop(Vault::open(test.settings()).unwrap());
    assert_eq!(keys(), 2);
}

#[test]
fn what_is_received_between_looking_and_sweeping_stays() {
    let test = TestVault::new();
    let strays = test.vault.strays().unwrap();
    assert!(!test.vault.untidy());
    // Received and committed after the manifest was read: not in it, and nobody works on it any more.
    let later = test.send(&generous(1), CSV).unwrap();
    later.uncommitted.end();
    assert!(!test.vault.untidy(), "an end that is known leaves nothing to look for");
    test.vault.sweep(strays, &BTreeSet::new()).unwrap();
    test.vault.look(&later.files[0], &[]).map(drop).unwrap();
    drop(test.send(&generous(1), CSV).unwrap());
    assert!(test.vault.untidy(), "an end that is not known does");
}

#[test]
fn a_draw_is_unsealed_only_under_its_name() {
    let test = TestVault::new();
    let (one, two) = (test.vault.seal("draw 1", b"noisy").unwrap(), test.vault.seal("draw 1", b"noisy").unwrap());
    assert_ne!(one, two, "fresh nonce");
    assert_eq!(test.vault.unseal("draw 1", &one).unwrap(), b"noisy");
    assert!(test.vault.unseal("draw 2", &one).is_err());
    let mut changed = one.clone();
    changed[14] ^= 1;
    assert!(test.vault.unseal("draw 1", &changed).is_err());
    assert!(test.vault.unseal("draw 1", &one[..5]).is_err());
}

#[test]
fn all_who_race_for_a_datasets_secret_get_the_same() {
    let test = TestVault::new();
    let dataset = DatasetId::parse("visits").unwrap();
    let key = || test.vault.person_keyer(&dataset, IdForm::Raw).unwrap().key("P-1234").unwrap();
    let keys: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..16).map(|_| scope.spawn(key)).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    let other = DatasetId::parse("others").unwrap();
    assert_ne!(test.vault.person_keyer(&other, IdForm::Raw).unwrap().key("P-1234").unwrap(), keys[0]);
    let reopened = Vault::open(test.settings()).unwrap();
    assert_eq!(reopened.person_keyer(&dataset, IdForm::Raw).unwrap().key("P-1234").unwrap(), keys[0]);
}

// G4
#[test]
fn a_person_from_two_submissions_or_with_500_rows_is_bounded_once() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(3);
    let many: Vec<Row> = (0..500).map(|i| row(1, &[0, 0, i % 3], Some(i64::from(i)))).collect();
    let later = test.submit(&policy, 8, &[row(1, &[1, 1, 1], Some(901)), row(2, &[1, 1, 1], Some(902))]);
    let first = test.submit(&policy, 7, &many);
    let edition = test.close(&policy, "2026", &[later, first]);
    let mut rows = test.rows(&edition);
    assert!(rows.is_sorted(), "by ordinal and rank");
    rows.sort_by_key(|row| row.cost);
    let costs: Vec<_> = rows.iter().map(|row| (row.rank, row.cost.unwrap(), row.codes[2])).collect();
    assert_eq!(costs, [(0, 0, 0), (1, 1, 1), (2, 2, 2), (0, 902, 1)]);
}

#[test]
fn an_ordinal_says_nothing_about_the_person() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(1);
    let rows: Vec<Row> = (0..1_000).map(|person| row(person, &[0, 0, 0], Some(i64::from(person)))).collect();
    let sent = [test.submit(&policy, 1, &rows)];
    let order = || test.rows(&test.close(&policy, "2026", &sent)).iter().map(|row| row.cost).collect::<Vec<_>>();
    // About 16 persons in each of 64 buckets: the same order twice has a chance below 1e-800.
    assert_ne!(order(), order());
}

#[test]
fn per_person_columns_come_from_the_first_row() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(3);
    let rows = [row(1, &[1, 2, 0], Some(1)), row(1, &[0, 3, 1], Some(2)), row(1, &[2, 0, 2], None)];
    let edition = test.close(&policy, "2026", &[test.submit(&policy, 1, &rows)]);
    let codes: Vec<_> = test.rows(&edition).into_iter().map(|row| (row.codes, row.cost)).collect();
    assert_eq!(codes, [(vec![1, 2, 0], Some(1)), (vec![1, 2, 1], Some(2)), (vec![1, 2, 2], None)]);
}

#[test]
fn an_older_submission_is_recoded_by_code_and_clamped_again() {
    let test = TestVault::new();
    let old = Policy::for_vault_test(1);
    let sent = test.submit(&old, 4, &[row(1, &[2, 0, 1], Some(15_000))]);
    let mut new = Policy::for_vault_test(1);
    new.columns[0] = Column::for_vault_test("sex", Per::Person, &["_U", "X", "M", "F"]);
    bounds(&mut new, 0, 9_000);
    let edition = test.close(&new, "2026", std::slice::from_ref(&sent));
    assert_eq!(test.rows(&edition)[0].codes, [0, 0, 1]);
    assert_eq!(test.rows(&edition)[0].cost, Some(9_000));
    let mut narrower = Policy::for_vault_test(1);
    narrower.columns[2] = Column::for_vault_test("service", Per::Row, &["health", "school"]);
    let refusal = test.vault.close(&narrower, std::slice::from_ref(&sent)).map(drop).unwrap_err();
    assert_eq!(refusal.code(), "recode", "refused though no row holds the code: it does not depend on rows");
    assert!(refusal.to_string().contains("code shelter is no longer on the list"));
    let mut wider = Policy::for_vault_test(1);
    wider.columns.push(Column::for_vault_test("status", Per::Person, &["a", "b"]));
    assert_eq!(test.vault.close(&wider, &[sent]).map(drop).unwrap_err().code(), "recode");
}

#[test]
fn a_refused_closing_leaves_nothing() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(1);
    let sent = test.submit(&policy, 1, &[row(1, &[0, 0, 0], None)]);
    let gone = submission(2, vec![FileEntry { id: FileId::random(), ..sent.files[0].clone() }], &Coding::of(&policy));
    assert!(test.vault.close(&policy, &[sent, gone]).is_err());
    assert_eq!(fs::read_dir(test.path().join("data/files")).unwrap().count(), 1);
}

#[test]
fn an_edition_holds_no_key_and_no_name() {
    let policy = Policy::for_vault_test(1);
    let mut coding = EditionCoding::of(&policy);
    let names = |coding: &EditionCoding| {
        coding
            .schema()
            .fields()
            .iter()
            .map(|field| format!("{} {}", field.name(), field.data_type()))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&coding), ["ordinal UInt32", "rank UInt16", "c0 UInt8", "c1 UInt8", "c2 UInt8", "c3 Int64"]);
    let long: Vec<String> = (0..257).map(|code| format!("x{code}")).collect();
    coding.columns[1].content = crate::submission::Content::Codes { codes: long };
    assert_eq!(names(&coding)[3], "c1 UInt16");
    assert_eq!(EditionCoding::parse(&coding.text().unwrap()).unwrap(), coding);
    let _list: &CodeList = policy.dimensions().next().unwrap().1;
}

/// Rows without the person's ordinal, which is random.
fn anonymous(rows: &[Kept]) -> Vec<(u16, Vec<u16>, Option<i64>)> {
    let mut rows: Vec<_> = rows.iter().map(|row| (row.rank, row.codes.clone(), row.cost)).collect();
    rows.sort();
    rows
}

fn register() -> impl Strategy<Value = Vec<Row>> {
    let one = (0_u32..12, 0_u16..3, 0_u16..4, 0_u16..3, proptest::option::of(0_i64..100));
    proptest::collection::vec(one.prop_map(|(p, a, b, c, cost)| row(p, &[a, b, c], cost)), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    // G4
    #[test]
    fn one_person_more_changes_an_edition_by_that_persons_rows(
        one in register(), two in register(), person in 0_u32..12, rows_max in 1_u32..4,
    ) {
        let test = TestVault::new();
        let policy = Policy::for_vault_test(rows_max);
        let edition = |keep: &dyn Fn(&Row) -> bool| {
            let part = |rows: &[Row]| rows.iter().filter(|row| keep(row)).cloned().collect::<Vec<_>>();
            let sent = [test.submit(&policy, 1, &part(&one)), test.submit(&policy, 2, &part(&two))];
            test.rows(&test.close(&policy, "2026", &sent))
        };
        let (with, without, alone) =
            (edition(&|_| true), edition(&|row| row.person != person), edition(&|row| row.person == person));
        let mut joined = without.clone();
        joined.extend(alone.clone());
        prop_assert_eq!(anonymous(&with), anonymous(&joined));
        prop_assert!(alone.len() <= usize::try_from(rows_max).unwrap());
        prop_assert!(alone.iter().filter(|row| row.rank == 0).count() <= 1);
        let persons: BTreeSet<u32> = with.iter().map(|row| row.ordinal).collect();
        prop_assert_eq!(persons.len(), with.iter().filter(|row| row.rank == 0).count());
        prop_assert!(with.is_sorted());
    }
}
