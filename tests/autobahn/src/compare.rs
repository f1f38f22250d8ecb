//! Holds the reports on a byte view against those on the transport below it.
//!
//! A byte view answers text with bytes, which is not what the suite expects: it fails the case,
//! waits, and goes away, with 1001 or no code, where it would have closed with 1000. All else about
//! the close has to be the same.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{Result, echo::View};

/// The suite's verdict on how a connection was closed, and the code that it was closed with.
type Closing = (String, Option<u64>);

pub(crate) fn compare(view: View, messages: &str, reports: &str) -> Result<()> {
    let (messages, reports) = (read(messages)?, read(reports)?);
    let (mut wrong, mut differ) = (0, 0);
    for (case, report) in &reports {
        let (verdict, code) = closing(report);
        let (expected_verdict, expected_code) = closing(&messages[case]);
        let has_rejected = view == View::Reject && code == Some(1003);
        let has_left = view == View::Bytes && matches!(code, Some(1001) | None);
        let may_differ = has_rejected || has_left;
        differ += usize::from(may_differ);
        let is_same = verdict == expected_verdict && code == expected_code;
        let is_expected = is_same || (may_differ && expected_code == Some(1000));
        if !is_expected {
            println!("{case}: {verdict} {code:?}, expected {expected_verdict} {expected_code:?}");
            wrong += 1;
        }
    }
    let count = reports.len();
    println!("{view:?}: {count} cases, {differ} with valid text in them, {wrong} wrong");
    if wrong > 0 || reports.is_empty() {
        return Err("not as expected".into());
    }
    Ok(())
}

fn closing(report: &Value) -> Closing {
    let verdict = report["behaviorClose"].as_str().unwrap_or_default();
    (verdict.to_owned(), report["remoteCloseCode"].as_u64())
}

/// The reports on the only agent in a folder of them.
fn read(folder: &str) -> Result<serde_json::Map<String, Value>> {
    let index = fs::read(Path::new(folder).join("index.json"))?;
    let agents: serde_json::Map<String, Value> = serde_json::from_slice(&index)?;
    match agents.into_iter().next() {
        Some((_, Value::Object(cases))) => Ok(cases),
        _ => Err("no reports".into()),
    }
}
