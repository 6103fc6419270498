//! Step 4: on YARN a TaskManager's id is its container's.

use std::borrow::Cow;

use crate::model::LabelDraft;

use super::Effects;

/// The label that gets the container.
pub(super) const CONTAINER_ID: &str = "container_id";
/// The label that gets the application.
pub(super) const APPLICATION_ID: &str = "application_id";
/// The label that tells of both.
pub(super) const TM_ID: &str = "tm_id";

/// Adds `container_id` and `application_id` where absent, if `tm_id` begins with a container's id.
pub(super) fn apply(draft: &mut LabelDraft<'_>, effects: &mut Effects) {
    let Some((_, tm_id)) = draft.iter_mut().find(|(name, _)| name == TM_ID) else {
        return;
    };
    let found = match tm_id {
        Cow::Borrowed(text) => container(text).map(|found| (Cow::Borrowed(found.id), found.application())),
        Cow::Owned(text) => {
            container(text).map(|found| (Cow::Owned(found.id.to_owned()), found.application()))
        }
    };
    let Some((id, application)) = found else { return };
    if draft.get(CONTAINER_ID).is_none() {
        draft.push(CONTAINER_ID, id);
        effects.yarn_ids += 1;
    }
    if draft.get(APPLICATION_ID).is_none() {
        draft.push(APPLICATION_ID, application);
        effects.yarn_ids += 1;
    }
}

struct Container<'t> {
    id: &'t str,
    /// `<cluster>_<app>`
    application: &'t str,
}

impl Container<'_> {
    fn application(&self) -> String {
        ["application_", self.application].concat()
    }
}

/// `container_[e<epoch>_]<cluster>_<application>_<attempt>_<n>`. What follows is found by the digits' end, since
/// Flink's filter makes an underscore of every `(`, `:` and `-`.
fn container(text: &str) -> Option<Container<'_>> {
    let rest = text.strip_prefix("container_")?;
    let rest = rest
        .strip_prefix('e')
        .and_then(field)
        .map_or(rest, |(_, rest)| rest);
    let application = rest;
    let (_, rest) = field(rest)?;
    let (_, rest) = digits(rest)?;
    let application = application.strip_suffix(rest)?;
    let (_, rest) = field(rest.strip_prefix('_')?)?;
    let (_, rest) = digits(rest)?;
    if rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    Some(Container {
        id: text.strip_suffix(rest)?,
        application,
    })
}

fn field(text: &str) -> Option<(&str, &str)> {
    let (number, rest) = digits(text)?;
    Some((number, rest.strip_prefix('_')?))
}

fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end)
        .filter(|(number, _)| !number.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tm_id: &str, expected: Option<(&str, &str)>) {
        let mut draft: LabelDraft = [(TM_ID, tm_id)].into_iter().collect();

        apply(&mut draft, &mut Effects::default());

        assert_eq!(
            draft.get(CONTAINER_ID).zip(draft.get(APPLICATION_ID)),
            expected,
            "{tm_id}"
        );
    }

    #[test]
    fn a_container_gives_its_id_and_application() {
        let plain = (
            "container_1700000000000_0001_01_000002",
            "application_1700000000000_0001",
        );
        let epoch = (
            "container_e08_1700000000000_0012_01_000002",
            "application_1700000000000_0012",
        );

        check(plain.0, Some(plain));
        check(epoch.0, Some(epoch));
        check(
            "container_e08_1700000000000_0012_01_000002_node_1_8041",
            Some(epoch),
        );
        check("container_1700000000000_0001_01_000002(node-1:8041)", Some(plain));
        check("container_1700000000000_0001_01_000002-5f3e6c", Some(plain));
    }

    #[test]
    fn anything_else_gives_nothing() {
        for tm_id in [
            "127_0_0_1:20510_5f3e6c",
            "container_",
            "container_e08_1700000000000_0001_01",
            "container_1700000000000_0001_01_",
            "container_1700000000000_0001_01_000002x",
            "container_e_1700000000000_0001_01_000002",
            "my_container_1700000000000_0001_01_000002",
        ] {
            check(tm_id, None);
        }
    }

    #[test]
    fn what_is_already_there_stays() {
        let mut draft: LabelDraft = [(TM_ID, "container_1_2_3_4"), (CONTAINER_ID, "mine")]
            .into_iter()
            .collect();
        let mut effects = Effects::default();

        apply(&mut draft, &mut effects);

        assert_eq!(
            (draft.get(CONTAINER_ID), draft.get(APPLICATION_ID)),
            (Some("mine"), Some("application_1_2"))
        );
        assert_eq!(effects.yarn_ids, 1);
    }
}
