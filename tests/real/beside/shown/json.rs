//! `/api/v1/metrics`.

use serde_json::Value;

use super::{TIMES, time};

/// One line a group, a family of it, and a metric of that.
pub(super) fn lines(body: &[u8]) -> Result<Vec<String>, String> {
    let mut document: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let groups = match document["data"].take() {
        Value::Array(groups) => groups,
        other => return Err(format!("data is {other}")),
    };
    let mut found = vec![format!("around it {document}")];
    for group in groups {
        let Value::Object(mut fields) = group else {
            return Err(format!("a group is {group}"));
        };
        let labels = fields.remove("labels").unwrap_or_default().to_string();
        for (name, field) in fields {
            match field {
                Value::Object(family) => found.extend(family_lines(&labels, &name, family)),
                other => found.push(format!("{labels} {name} {other}")),
            }
        }
        found.push(format!("{labels} is a group"));
    }
    Ok(found)
}

fn family_lines(group: &str, name: &str, mut family: serde_json::Map<String, Value>) -> Vec<String> {
    if let Some(stamp) = family.get_mut("time_stamp") {
        *stamp = judged(stamp);
    }
    let metrics = match family.remove("metrics") {
        Some(Value::Array(metrics)) => metrics,
        other => vec![other.unwrap_or_default()],
    };
    let mut lines: Vec<String> = metrics
        .into_iter()
        .map(|mut metric| {
            if TIMES.contains(&name)
                && let Some(seconds) = metric["value"].as_str().and_then(|value| value.parse().ok())
            {
                metric["value"] = time(seconds).into();
            }
            format!("{group} {name} metric {metric}")
        })
        .collect();
    lines.push(format!("{group} {name} {}", Value::Object(family)));
    lines
}

/// Whether it is a moment as Go writes one: `2026-11-20T14:00:00.123456789Z`, or with an offset from UTC.
fn judged(stamp: &Value) -> Value {
    let text = stamp.as_str().unwrap_or_default();
    let right = text.len() >= "2026-11-20T14:00:00Z".len()
        && text.starts_with("20")
        && text.as_bytes()[10] == b'T'
        && (text.ends_with('Z') || text.as_bytes()[text.len() - 6].is_ascii_punctuation());
    if right { "a moment".into() } else { stamp.clone() }
}
