//! The register that is measured: persons and their visits, the same on every machine.
//!
//! N persons with sex (2), age (18 bands), region (32), citizenship (50), status (4), sector (20), disability (2) and a
//! wage of 0 to 20,000; about 2.2 visits a person, one to seven, each with a service (12). Every value follows from the
//! number of the person alone. No person exists.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// A person-level column: its name and how many codes it has.
pub const PERSONS: [(&str, u64); 7] =
    [("sex", 2), ("age", 18), ("region", 32), ("citizenship", 50), ("status", 4), ("sector", 20), ("disability", 2)];
/// The columns of a visit.
pub const VISITS: [(&str, u64); 2] = [("region", 32), ("service", 12)];
/// Rows of a person that count.
pub const ROWS_MAX: u32 = 3;

/// One person's codes and wage.
pub fn person(number: u64) -> ([u64; 7], u64) {
    let codes = std::array::from_fn(|place| {
        let (_, size) = PERSONS[place];
        // The smaller of two draws: some codes are common and some are rare, as in a register.
        let draw = |salt: u64| mixed(number, salt + place as u64) % size;
        draw(100).min(draw(200))
    });
    (codes, mixed(number, 300) % 20_001)
}

/// One person's visits: region and service of each.
pub fn visits(number: u64) -> impl Iterator<Item = [u64; 2]> {
    let (codes, _) = person(number);
    let count = [1, 1, 1, 1, 2, 2, 2, 3, 3, 7][(mixed(number, 400) % 10) as usize];
    (0..count).map(move |visit| [codes[2], mixed(number, 500 + visit) % 12])
}

/// A code as the file writes it.
pub fn code(column: &str, place: u64) -> String {
    format!("{}{place:02}", &column[..2])
}

/// Writes the persons; gives the number of rows.
pub fn write_persons(path: &Path, persons: u64) -> io::Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    let codes = spelled(&PERSONS);
    writeln!(file, "person_id,sex,age,region,citizenship,status,sector,disability,wage")?;
    for number in 0..persons {
        let (places, wage) = person(number);
        write!(file, "XA-{number:09}")?;
        for (codes, place) in codes.iter().zip(places) {
            write!(file, ",{}", codes[place as usize])?;
        }
        writeln!(file, ",{wage}")?;
    }
    file.flush()?;
    Ok(persons)
}

/// Writes the visits, a person's far apart; gives the number of rows.
pub fn write_visits(path: &Path, persons: u64) -> io::Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    let (codes, mut rows) = (spelled(&VISITS), 0);
    writeln!(file, "person_id,region,service")?;
    for round in 0..7 {
        for number in 0..persons {
            if let Some([region, service]) = visits(number).nth(round) {
                let (region, service) = (&codes[0][region as usize], &codes[1][service as usize]);
                writeln!(file, "XA-{number:09},{region},{service}")?;
                rows += 1;
            }
        }
    }
    file.flush()?;
    Ok(rows)
}

fn spelled(columns: &[(&str, u64)]) -> Vec<Vec<String>> {
    columns.iter().map(|(name, size)| (0..*size).map(|place| code(name, place)).collect()).collect()
}

/// `SplitMix64` of a number and a salt.
fn mixed(number: u64, salt: u64) -> u64 {
    let mut z = number.wrapping_add(salt << 40).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The policy over one of the two files. The budget is far larger than any that should be granted: it pays for many
/// draws of the same table.
pub fn policy(dataset: &str) -> String {
    let visits = dataset == "visits";
    let columns: &[(&str, u64)] = if visits { &VISITS } else { &PERSONS };
    let rows_max = if visits { ROWS_MAX } else { 1 };
    let mut text = format!(
        r#"id = "{dataset}"
version = 1
title = {{ en = "Measured {dataset}" }}
universe = {{ en = "Generated persons" }}
source = {{ en = "Generator" }}
controller = "Ministry of Measures"
legal_basis = "None: no person exists"
licence = "CC-BY-4.0"
contact = "dpo@example.org"
effective = 2026-01-01
expires = 2036-12-31
retention_days = 730
consulted = ["nobody (generated)"]
frequency = "A"
editions = "closed"
releases = "public"
submitters = {{ ministry-interior = ["*"] }}
[unit]
person = "person_id"
id = "raw"
rows_max = {rows_max}
periods_max = 1
[budget]
account = "{dataset}"
accounting = "zcdp"
rho = "20"
delta = "1e-9"
per_release_max = "10"
[purposes]
allow = ["sdg"]
[principals]
deny_classes = ["enforcement"]
[cells]
threshold = 10
round_to = 1
dims_max = 3
cells_max = 5000
moe_relative_max = "0.5"
withhold_unreliable = false
complementary = true
"#
    );
    for (name, size) in columns {
        let per = if *name == "service" { "row" } else { "person" };
        let codes: Vec<String> = (0..*size).map(|place| format!("\"{}\"", code(name, place))).collect();
        let codes = codes.join(", ");
        text += &format!(
            "[[column]]\nname = \"{name}\"\ntitle = {{ en = \"{name}\" }}\nrole = \"dimension\"\nper = \"{per}\"\n\
             codes = [{codes}]\n"
        );
    }
    if !visits {
        text += r#"[[column]]
name = "wage"
title = { en = "Wage" }
role = "measure"
per = "person"
type = "decimal"
scale = 0
unit = "USD"
min = "0"
max = "20000"
missing = "allowed"
bins = ["0", "10000", "20000"]
"#;
    }
    text
}
