//! Withheld means withheld: partners go with small cells, free answers are judged beside what stands, and anyone can
//! audit what was published.

use crate::support::{POLICY, Reply, TestService, at_once, value};
use halflight::release::{Audited, Flaw, audit};
use serde_json::{Value, json};

/// 500 men and so many women in the north and in the south, 400 men in the west, and so many women.
pub fn register(women: [usize; 3]) -> String {
    let mut csv = String::from("person_id,state,sex,service,remark\n");
    let of_women = ["north", "south", "west"].into_iter().zip(women).map(|(state, persons)| (state, "F", persons));
    for (state, sex, persons) in of_women.chain([("north", "M", 500), ("south", "M", 500), ("west", "M", 400)]) {
        for person in 0..persons {
            csv.push_str(&format!("{state}{sex}{person},{state},{sex},primary,x\n"));
        }
    }
    csv
}

pub fn service() -> (TestService, String) {
    service_of(POLICY)
}

fn service_of(policy: &str) -> (TestService, String) {
    service_with(policy, [500, 500, 3])
}

pub fn service_with(policy: &str, women: [usize; 3]) -> (TestService, String) {
    let service = TestService::start();
    service.in_force(policy);
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "visits", "2026", "k1", &register(women)).expect(201);
    service.close("visits", "2026").expect(201);
    (service, team)
}

/// Standard errors of a person or more: less noise than that, and a line hides three.
pub fn question(by: &[&str], states: &[&str], rho: &str) -> Value {
    let mut question = json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": by,
        "periods": ["2026"], "spend": { "rho": rho } });
    if !states.is_empty() {
        question["where"] = json!({ "state": states });
    }
    question
}

/// Every public release, as anyone can fetch it.
pub fn published(service: &TestService) -> Vec<(String, Vec<u8>)> {
    let list = service.get("/v1/releases", None).expect(200).json();
    let ids = list.as_array().unwrap().iter().map(|release| release["id"].as_str().unwrap().to_owned());
    ids.map(|id| (id.clone(), service.get(&format!("/v1/releases/{id}.json"), None).expect(200).body)).collect()
}

pub fn all_hold(audited: &[Audited]) {
    for one in audited {
        assert!(one.found.is_ok(), "{:?}", one.found);
    }
}

/// The document with a change, and the digest that goes with it.
pub fn forged(document: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(document).unwrap();
    change(&mut document);
    let mut body = document.as_object().unwrap().clone();
    for beside in ["log_index", "notice", "released_at", "sha256"] {
        body.remove(beside);
    }
    let digest = halflight::identity::Digest::of(&serde_json::to_vec(&body).unwrap());
    document["sha256"] = json!(digest.to_string());
    serde_json::to_vec(&document).unwrap()
}

// R6, cases 1 and 18
#[test]
fn a_small_cell_takes_partners_with_it_and_the_file_proves_it() {
    let (service, team) = service();
    let mut asked = question(&["state", "sex"], &[], "0.5");
    asked["margins"] = json!(true);
    let release = service.ask(&team, &asked).expect(201);
    let told = release.json();
    let cell = |state: &str, sex: &str| value(&told, &[("state", state), ("sex", sex)]);
    assert_eq!((cell("west", "F"), cell("west", "M")), (None, None));
    assert!(["north", "south"].iter().any(|state| cell(state, "F").is_none() && cell(state, "M").is_none()), "{told}");
    assert!(cell("west", "_T").is_some() && cell("_T", "F").is_some() && cell("_T", "_T").is_some());
    assert_eq!((&told["certificate"]["withheld"], &told["certificate"]["width"]), (&json!(4), &json!(10.0)));
    assert_eq!(told["certificate"]["notions"], json!(["A", "E", "W"]));
    let reasons: Vec<&Value> = told["cells"].as_array().unwrap().iter().map(|cell| &cell["reason"]).collect();
    assert!(
        reasons.iter().all(|reason| reason.is_null() || *reason == "withheld"),
        "which is the small one is not said"
    );

    let document = |bytes: Vec<u8>| audit(&[("a file".into(), bytes)]).remove(0).found;
    let found = document(release.body.clone()).unwrap_or_else(|flaw| panic!("{flaw}: {told}"));
    assert_eq!((found.withheld, found.width.map(f64::round)), (4, Some(10.0)));
    // One digit changed: the digest tells. With the digest made anew: the figures do.
    let changed = String::from_utf8(release.body.clone()).unwrap().replacen("\"se\":\"", "\"se\":\"1", 1);
    assert!(matches!(document(changed.into_bytes()), Err(Flaw::Changed(_))));
    let place = told["cells"].as_array().unwrap().iter().position(|cell| cell["key"]["state"] == "west").unwrap();
    let partner = told["cells"][place]["key"]["sex"] == "F";
    let at = if partner { place + 1 } else { place };
    let shown = forged(&release.body, |document| {
        let cell = &mut document["cells"][at];
        (cell["value"], cell["low"], cell["high"]) = (json!(400), json!(398), json!(402));
        (cell["estimate"], cell["se"], cell["status"]) = (json!("400.1000"), json!("0.9000"), json!("A"));
        cell.as_object_mut().unwrap().remove("reason");
    });
    assert!(matches!(document(shown), Err(Flaw::Revealed { .. })), "a partner less gives the small one away");
    service.verify();
}

// Cases 7, 8 and 20: over time, one draw.
#[test]
fn a_free_question_that_would_give_a_small_figure_away_is_refused() {
    let (service, team) = service_with(POLICY, [500, 2, 2]);
    let told = service.ask(&team, &question(&["state", "sex"], &[], "0.5")).expect(201).json();
    let women = |state: &str| value(&told, &[("state", state), ("sex", "F")]);
    assert!(women("north").is_some() && women("south").is_none() && women("west").is_none());
    let total = service.ask(&team, &question(&["sex"], &[], "0.05")).expect(201).json();
    assert!(value(&total, &[("sex", "F")]).is_some());
    let paid = service.spent("visitors");
    // Together the two are what the north leaves of all: four.
    let both = question(&["sex"], &["south", "west"], "0.5");
    let refused = service.ask(&team, &both).expect_problem(422, "would_reveal_withheld");
    let quote = service.post("/v1/quotes", &team, &both).expect(200).json();
    assert_eq!((&quote["allowed"], &quote["code"]), (&json!(false), &json!("would_reveal_withheld")), "{quote}");
    // What is offered instead is answered, and free.
    for alternative in refused.json()["alternatives"].as_array().into_iter().flatten() {
        let status = service.ask(&team, &alternative["question"]).status;
        assert!(status == 200 || status == 201, "{alternative}");
    }
    assert_eq!(service.spent("visitors"), paid);
    // Whoever pays for a draw of their own has its answer: what others asked does not stand in the way.
    let own = question(&["sex"], &["south", "west"], "0.05");
    let quote = service.post("/v1/quotes", &team, &own).expect(200).json();
    assert_eq!(
        (&quote["allowed"], &quote["free"], &quote["cost"]["rho"]),
        (&json!(true), &json!(false), &json!("0.05"))
    );
    assert_eq!(service.ask(&team, &own).expect(201).json()["privacy"]["charged"], true);
    assert_eq!(service.spent("visitors"), "0.55");
    all_hold(&audit(&published(&service)));
    service.verify();
}

#[test]
fn a_total_that_would_leave_a_small_group_over_stays_silent() {
    let (service, team) = service();
    // The draw measures all states; what is shown of it is the sum of two.
    service.ask(&team, &question(&["sex"], &["north", "south"], "0.5")).expect(201);
    let paid = service.spent("visitors");
    // With the total of all three, the third would be known: of its women there are three.
    let total = service.ask(&team, &question(&["sex"], &[], "0.05")).expect(201).json();
    assert_eq!(value(&total, &[("sex", "F")]), None);
    assert!(value(&total, &[("sex", "M")]).is_some());
    let west = service.ask(&team, &question(&["sex"], &["west"], "0.05")).expect(201).json();
    assert_eq!(value(&west, &[("sex", "F")]), None);
    assert_eq!(service.spent("visitors"), paid);
    all_hold(&audit(&published(&service)));
    service.verify();
}

#[test]
fn free_answers_at_once_do_not_add_up_to_a_small_figure() {
    let (service, team) = service();
    service.ask(&team, &question(&["sex"], &["north"], "0.5")).expect(201);
    let cuts: [&[&str]; 6] = [&["north", "south"], &[], &["west"], &["south"], &["south", "west"], &["north", "west"]];
    let replies = at_once(cuts.len(), |at| service.ask(&team, &question(&["sex"], cuts[at], "0.05")));
    for reply in &replies {
        assert!(reply.status == 201 || reply.code() == "would_reveal_withheld", "{}", reply.text());
    }
    let charged = |reply: &&Reply| reply.status == 201 && reply.json()["privacy"]["charged"] == true;
    let charged = replies.iter().filter(charged).count();
    assert!(replies.iter().filter(|reply| reply.status == 201).count() > charged, "some are free");
    let own = service.spent("visitors").parse::<f64>().unwrap() - 0.5;
    assert!((own - 0.05 * charged as f64).abs() < 1e-9, "{own}: each a draw of its own");
    let published = published(&service);
    assert_eq!(published.len(), 1 + replies.iter().filter(|reply| reply.status == 201).count());
    all_hold(&audit(&published));
    service.verify();
}

// Case 17: a share is withheld with its numerator, and its parts count as published.
#[test]
fn a_share_tells_no_more_than_its_parts_may() {
    let (service, team) = service();
    let mut asked = question(&["state"], &[], "0.5");
    asked["measures"] = json!([{ "kind": "share", "of": { "sex": ["F"] } }]);
    asked["margins"] = json!(true);
    let release = service.ask(&team, &asked).expect(201);
    let told = release.json();
    let cells = told["cells"].as_array().unwrap();
    let of = |measure: &str, state: &str| {
        &cells.iter().find(|cell| cell["measure"] == measure && cell["key"]["state"] == state).unwrap()["value"]
    };
    assert!(of("share:sex=F", "west").is_null() && of("persons:sex=F", "west").is_null());
    assert!(!of("persons", "west").is_null(), "the base itself is large");
    // All women less those of the other states would be the three: one more state stays silent.
    let silent = ["north", "south"].iter().filter(|state| of("share:sex=F", state).is_null()).count();
    assert!(silent == 1 || of("share:sex=F", "_T").is_null(), "{told}");
    all_hold(&audit(&published(&service)));
    // The women of the west are not to be had from the same draw by another name either.
    let women = json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": ["state"],
        "where": { "sex": ["F"] }, "periods": ["2026"], "spend": { "rho": "0.05" } });
    let again = service.ask(&team, &women).json();
    assert_eq!(again["privacy"]["charged"], false, "{again}");
    assert_eq!(value(&again, &[("state", "west")]), None);
    all_hold(&audit(&published(&service)));
    service.verify();
}

// A group that falls silent is seen: in cells by everyone, in persons by officers, with what would show it.
#[test]
fn whom_suppression_hides_is_told() {
    let watched = "[[vulnerable]]\nwhere = { state = [\"west\"], sex = [\"F\"] }\n[[forbid]]";
    let (service, team) = service_of(&POLICY.replacen("[[forbid]]", watched, 1));
    let release = service.ask(&team, &question(&["state", "sex"], &[], "0.5")).expect(201).json();
    let (group, rest) = (&release["loss"]["groups"][0], &release["loss"]["rest"]);
    assert_eq!(group["where"], json!({ "sex": ["F"], "state": ["west"] }));
    assert_eq!((&group["cells"], &group["shown"]), (&json!(1), &json!(0)));
    assert_eq!((&rest["cells"], &rest["shown"]), (&json!(5), &json!(5)));
    assert!(release["loss"].to_string().find("persons").is_none(), "persons would be an equation");

    let path = format!("/v1/releases/{}/loss", release["id"].as_str().unwrap());
    service.get(&path, Some(&team)).expect_problem(403, "forbidden_role");
    service.get(&path, None).expect_problem(401, "unauthenticated");
    let loss = service.get(&path, Some(&service.officers[0])).expect(200).json();
    let women = &loss["groups"][0];
    assert_eq!((&women["silenced"], &women["persons_shown"]), (&json!(true), &json!(0)), "{loss}");
    assert!((women["persons"].as_i64().unwrap() - 3).abs() < 8, "{loss}: the noisy three");
    assert_eq!(loss["partners"], json!({ "primaries": 1, "partners": 0, "at_least": 0, "gap": 0.0 }), "{loss}");
    // A group that is broad enough in a coarser table is told which.
    let women = POLICY.replacen("[[forbid]]", "[[vulnerable]]\nwhere = { sex = [\"F\"] }\n[[forbid]]", 1);
    let (service, team) = service_of(&women);
    let release = service.ask(&team, &question(&["state", "sex"], &[], "0.5")).expect(201).json();
    let path = format!("/v1/releases/{}/loss", release["id"].as_str().unwrap());
    let loss = service.get(&path, Some(&service.officers[0])).expect(200).json();
    let women = &loss["groups"][0];
    assert_eq!((&women["coarser"], &women["silenced"]), (&json!(["sex"]), &json!(false)), "{loss}");
    assert_eq!(service.spent("visitors"), "0.5");
    // All of the west would give its women away: silent for their sake, which is for officers, and proved to be needed.
    let plain = service.ask(&team, &question(&["state"], &[], "0.05")).expect(201).json();
    assert_eq!((&plain["answered_from"], value(&plain, &[("state", "west")])), (&release["id"], None));
    assert!(!plain.to_string().contains("at_least") && !plain.to_string().contains("partners"), "{plain}");
    let path = format!("/v1/releases/{}/loss", plain["id"].as_str().unwrap());
    let loss = service.get(&path, Some(&service.officers[0])).expect(200).json();
    assert_eq!(loss["partners"], json!({ "primaries": 0, "partners": 1, "at_least": 1, "gap": 0.0 }), "{loss}");
    // What touches no such group says nothing.
    let plain = service.ask(&team, &question(&["state"], &[], "0.5")).expect(201).json();
    assert!(plain.get("loss").is_none(), "{plain}");
    service.verify();
}

// Two levels of one measured table, though persons over services do not add up.
#[test]
fn what_is_cut_out_of_one_table_is_judged_together_whatever_it_is_broken_down_by() {
    let ages = r#"
[[column]]
name = "age"
title = { en = "Age" }
role = "dimension"
per = "person"
type = "integer"
min = 0
max = 120
bands = ["Y0T4", "Y5T14", "Y_GE15"]
[[grouping]]
name = "broad_age"
title = { en = "Broad age" }
column = "age"
bands = ["Y0T14", "Y_GE15"]
[cells]"#;
    let service = TestService::start();
    service.in_force(&POLICY.replacen("[cells]", ages, 1));
    let (ministry, team) = (service.submitter(), service.analyst());
    let mut csv = String::from("person_id,state,sex,service,remark,age\n");
    for (age, persons) in [(2, 4), (9, 60), (40, 200)] {
        for person in 0..persons {
            csv.push_str(&format!("p{age}-{person},north,F,primary,x,{age}\n"));
        }
    }
    service.submit(&ministry, "visits", "2026", "k1", &csv).expect(201);
    service.close("visits", "2026").expect(201);
    let first = service.ask(&team, &question(&["age", "service"], &[], "0.5")).expect(201).json();
    let at = |release: &Value, dim: &str, code: &str| value(release, &[(dim, code), ("service", "primary")]);
    assert_eq!(at(&first, "age", "Y0T4"), None);
    assert!(at(&first, "age", "Y5T14").is_some());
    let broad = service.ask(&team, &question(&["broad_age", "service"], &[], "0.05"));
    if broad.status == 201 {
        let broad = broad.json();
        assert_eq!(broad["privacy"]["charged"], false, "{broad}");
        assert_eq!(at(&broad, "broad_age", "Y0T14"), None, "less the older ones it would be the small one");
    } else {
        assert_eq!(broad.code(), "would_reveal_withheld");
    }
    all_hold(&audit(&published(&service)));
    service.verify();
}
