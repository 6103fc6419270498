use proptest::prelude::*;

use super::*;

const SERIES: &[(&str, &str)] = &[
    ("__name__", "up"),
    ("job", "etl_7"),
    ("instance", "a\"b\\c\nd"),
    ("zone.name", "x"),
];

fn selects(selector: &Selector, series: &[(&str, &'static str)]) -> bool {
    selector.selects(|name| {
        let label = series.iter().find(|(known, _)| *known == name);
        label.map_or("", |(_, value)| value)
    })
}

#[test]
fn a_selector_selects_what_prometheus_would() {
    for (text, expected) in [
        ("up", true),
        (" up { } ", true),
        ("down", false),
        ("up{job=\"etl_7\"}", true),
        ("{job=\"etl_7\",}", true),
        ("{job='etl_7', instance!=\"\"}", true),
        ("{job=~\"etl_.*\"}", true),
        ("{job=~\"etl\"}", false),
        ("{job=~\"etl|etl_[[:digit:]]\"}", true),
        ("{job!~\"etl_.*\",instance=~\".+\"}", false),
        ("up{missing=\"\"}", true),
        ("up{missing!=\"\"}", false),
        ("up{missing=~\"|x\"}", true),
        ("{instance=\"a\\\"b\\\\c\\nd\"}", true),
        ("{instance='a\"b\\\\c\\nd'}", true),
        ("{instance=`a\"b\\c\nd`}", true),
        ("{instance=~\"(?s)a.*d\"}", true),
        ("{\"up\"}", true),
        ("{\"up\", \"zone.name\"=\"x\"}", true),
        ("{__name__=~\"u.\", __name__!=\"ux\"}", true),
        ("{__name__=\"up\", __name__=\"down\"}", false),
        ("up # of all\n{job=\"\\u0065tl_7\"}", true),
        ("up{job=\"\\x65tl\\1377\"}", true),
    ] {
        let selector: Selector = text.parse().unwrap();

        assert_eq!(selects(&selector, SERIES), expected, "{text}");
    }
}

#[test]
fn a_mistake_is_named_with_its_place_and_what_could_stand_there() {
    for (text, expected) in [
        ("", "character 1: expected a metric's name or {, found the end"),
        ("9up", "character 1: expected a metric's name or {, found '9'"),
        (
            "up[5m]",
            "character 3: expected the end of the selector, found '['",
        ),
        ("up{job}", "character 7: expected one of =, !=, =~, !~, found '}'"),
        (
            "up{job==\"a\"}",
            "character 8: expected a value in quotes, found '='",
        ),
        ("up{job=a}", "character 8: expected a value in quotes, found 'a'"),
        (
            "up{job=\"a}",
            "character 11: expected the closing quote, found the end",
        ),
        (
            "up{job=\"a\" b=\"c\"}",
            "character 12: expected , or }, found 'b'",
        ),
        (
            "up{job=\"a\",,}",
            "character 12: expected the name of a label, found ','",
        ),
        ("up{job=\"a\"", "character 11: expected , or }, found the end"),
        (
            "up{job=\"\\d\"}",
            "character 10: expected an escape of Go's strings, or \\\\ for a backslash, found 'd'",
        ),
        (
            "größe",
            "character 3: expected the end of the selector, found 'ö'",
        ),
        (
            "{job=~\"a(\"}",
            "character 7: the regular expression \"a(\" does not compile: unclosed group",
        ),
        (
            "up{__name__=\"down\"}",
            "the name of the metric is given twice, as \"up\" and \"down\": write it once",
        ),
        (
            "{\"up\",__name__=~\"down\"}",
            "the name of the metric is given twice, as \"up\" and \"down\": write it once",
        ),
        (
            "{\"up\",\"down\"}",
            "the name of the metric is given twice, as \"up\" and \"down\": write it once",
        ),
    ] {
        let error = text.parse::<Selector>().unwrap_err();

        assert!(error.to_string().ends_with(expected), "{text}: {error}");
    }
}

#[test]
fn what_would_select_everything_is_refused() {
    for text in [
        "{}",
        "{job=\"\"}",
        "{job=~\".*\"}",
        "{job!=\"a\"}",
        "{job!~\"a\"}",
    ] {
        let error = text.parse::<Selector>().unwrap_err();

        assert!(
            matches!(error, SelectorError::Everything { .. }),
            "{text}: {error}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_stumble(text in "[a-z{}=!~\"'`,\\\\ #\n(ü:0-9]{0,24}") {
        let _ = text.parse::<Selector>();
    }

    #[test]
    fn a_shown_selector_is_read_back_as_it_was(name in "[a-z_.]{1,8}", value in "\\PC{1,8}|[\"\\\\\n]{1,3}") {
        let text = format!("{{{}={}}}", parse::Quoted(&name), parse::Quoted(&value));

        let selector: Selector = text.parse().unwrap();

        let shown = selector.to_string();
        let again: Selector = shown.parse().unwrap();
        prop_assert_eq!(again.to_string(), shown);
        let is_selected = selector.selects(|asked| if asked == name { &value } else { "" });
        prop_assert!(is_selected);
    }
}
