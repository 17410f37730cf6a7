//! Power cuts: the disk loses what nobody forced onto it, under the service and under the witness.

use super::disk::{Disk, Loss};
use super::register;
use super::service::Service;
use super::siege::Siege;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Power cuts of the test that everybody runs, for each hundred kills.
const CUTS: usize = 24;

/// Writes within which half of the ends come.
const WRITES: u64 = 500;

/// Longest wait for the write that is the last.
const PATIENCE: Duration = Duration::from_mins(1);

/// Two volumes, one shim.
fn disk(folder: &Path) -> Option<Disk> {
    Disk::new(&folder.join("notes"), &[folder.join("disk"), folder.join("other")])
}

#[test]
fn only_what_was_synced_outlives_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("disk");
    std::fs::create_dir(&at).unwrap();
    let Some(disk) = Disk::new(&folder.path().join("notes"), std::slice::from_ref(&at)) else { return };
    let mut chance = StdRng::seed_from_u64(1);
    let mut run = |script: &str| {
        let mut command = Command::new("sh");
        let status = disk.under(command.args(["-c", script]).current_dir(&at)).status().unwrap();
        assert!(status.success(), "{script}");
        disk.cut(Loss::All, &mut chance)
    };
    let read = |name: &str| std::fs::read_to_string(at.join(name)).ok();
    let text = |text: &str| Some(text.to_owned());
    // Neither content nor name; a name without its content; content without a name; both.
    assert_eq!((run("echo lost > a"), read("a")), (2, None));
    assert_eq!((run("echo lost > a; sync ."), read("a")), (1, text("")));
    assert_eq!((run("echo lost > b; sync b"), read("b")), (1, None));
    assert_eq!((run("echo kept > b; sync b ."), read("b")), (0, text("kept\n")));
    // What is written over, cut off, renamed or removed comes back as it was.
    let mut lost = |script: &str| {
        assert!(run(script) > 0, "{script}");
        (read("a"), read("b"), read("c"), read("d/e"))
    };
    for script in ["echo more >> b", "echo else > b", "mv b c", "mv -f b a", "rm b", "mkdir d; echo > d/e; sync d/e d"]
    {
        assert_eq!(lost(script), (text(""), text("kept\n"), None, None), "{script}");
    }
    assert_eq!((run("mv b c; rm a; sync ."), read("a"), read("b"), read("c")), (0, None, None, text("kept\n")));
}

#[test]
fn what_init_has_made_outlives_a_power_cut() {
    let service = Service::made(disk);
    let Some(disk) = &service.disk else { return };
    disk.cut(Loss::All, &mut StdRng::seed_from_u64(1));
    service.start(None).unwrap();
}

#[test]
fn a_disk_that_lies_about_syncing_is_found_out() {
    for honest in [true, false] {
        let service = Service::new(1, disk);
        let Some(disk) = &service.disk else { return };
        let submitter = service.token("submitter", "ministry-0", "ministry");
        let mut chance = StdRng::seed_from_u64(1);
        service.kill();
        disk.cut(Loss::All, &mut chance);
        disk.lie(!honest);
        service.start(None).unwrap();
        let headers = [("content-type", "text/csv"), ("idempotency-key", "one")];
        let path = "/v1/datasets/crash/submissions?period=2001";
        let file = register::file("one", 0, 60);
        assert_eq!(service.send("POST", path, &submitter, &headers, file.as_bytes()).unwrap().status, 201);
        service.kill();
        disk.cut(Loss::All, &mut chance);
        service.start(None).unwrap();
        let listed = service.get("/v1/datasets/crash/submissions", &submitter).unwrap().json();
        assert_eq!(listed.as_array().unwrap().len() == 1, honest, "honest: {honest}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_fails_at_random() {
    let mut siege = Siege::new(disk);
    if siege.service.disk.is_none() {
        return;
    }
    let (cuts, mut gone) = ((super::kills() * CUTS).div_ceil(100), 0);
    for round in 0..cuts.div_ceil(8) {
        siege.round(8.min(cuts - round * 8), |siege| {
            // Half of the ends come at some moment, half of them at some write.
            if siege.chance.random() {
                siege.some_acts();
                siege.service.kill();
            } else {
                siege.service.kill();
                let writes = siege.chance.random_range(1..WRITES).to_string();
                if siege.service.start(Some(("UNSYNCED_DIES", &writes))).is_ok() && siege.at_work {
                    siege.service.ended(PATIENCE).unwrap();
                }
                siege.service.kill();
            }
            // After a plain kill, what nobody synced is in danger until somebody does.
            let loss = match siege.chance.random_range(0..4) {
                0 => return,
                1 => Loss::All,
                _ => Loss::Some,
            };
            gone += siege.service.disk.as_ref().unwrap().cut(loss, &mut siege.chance);
        });
    }
    siege.report();
    println!("{gone} changes lost");
    assert!(gone > 0, "no cut lost anything");
}

/// The secret under which a dataset's persons become keys is made with the first file. Lost and made again, it would
/// make every person two.
#[test]
fn a_first_file_may_be_cut_off_at_any_write_and_its_persons_stay_one() {
    let service = Service::new(1, disk);
    let Some(disk) = &service.disk else { return };
    let (submitter, analyst) =
        (service.token("submitter", "ministry-0", "ministry"), service.token("analyst", "reader", "un_reporting"));
    let mut chance = StdRng::seed_from_u64(1);
    service.kill();
    disk.cut(Loss::All, &mut chance);
    let copy = |from: &str, to: &str| {
        let (from, to) = (service.path(from), service.path(to));
        assert!(Command::new("cp").arg("-aT").args([from, to]).status().unwrap().success());
    };
    copy("disk", "disk-before");
    copy("other", "other-before");
    let send = |key: &str, persons: usize| {
        let headers = [("content-type", "text/csv"), ("idempotency-key", key)];
        let path = "/v1/datasets/crash/submissions?period=2001";
        service.send("POST", path, &submitter, &headers, register::file("same", 0, persons).as_bytes())
    };
    for writes in 1.. {
        for folder in ["disk", "other"] {
            std::fs::remove_dir_all(service.path(folder)).unwrap();
            copy(&format!("{folder}-before"), folder);
        }
        let started = service.start(Some(("UNSYNCED_DIES", &writes.to_string())));
        let whole = started.is_ok() && send("one", 60).is_some();
        service.kill();
        service.start(None).unwrap();
        let again = send("one", 60).unwrap();
        assert!(again.status < 300, "killed after {writes} writes: {}\n{}", again.text(), service.said());
        service.kill();
        disk.cut(Loss::All, &mut chance);
        service.start(None).unwrap();
        assert_eq!(send("two", 80).unwrap().status, 201);
        let closed = service.post("/v1/datasets/crash/editions", &service.officers[0], &json!({ "period": "2001" }));
        assert_eq!(closed.unwrap().status, 201);
        let released = service.post("/v1/releases", &analyst, &register::question("2001", 0)).unwrap().json();
        let persons = released["cells"][0]["value"].as_i64().unwrap();
        assert!((65..95).contains(&persons), "killed after {writes} writes: 80 persons are shown as {persons}");
        service.kill();
        service.verify();
        if whole {
            println!("killed after each of {writes} writes");
            return;
        }
    }
}
