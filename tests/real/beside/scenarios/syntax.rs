//! Text format 0.0.4 to the letter.

use crate::beside::request::Request;
use crate::beside::{Deliberate, Scenario, put};

const J: &str = "/metrics/job/j";

pub(super) const SYNTAX: &[Scenario] = &[
    Scenario::new("P00: blank lines", &[put(J, "\n\n\n")]),
    Scenario::new(
        "P01: plain samples, a comment, HELP of nothing",
        &[put(
            J,
            "minimal_metric 1.234\nanother_metric -3e3\n# Even that:\nno_labels{} 3\n# HELP line for non-existing metric will be ignored.\n",
        )],
    ),
    Scenario::new(
        "P02: odd spacings and escapes",
        &[put(
            J,
            "# A normal comment.\n#\n# TYPE name counter\nname{labelname=\"val1\",basename=\"basevalue\"} NaN\nname {labelname=\"val2\",basename=\"base\\\"v\\\\al\\nue\"} 0.23\n# HELP name two-line\\n doc  str\\\\ing\n\n # HELP  name2  \tdoc str\"ing 2\n  #    TYPE    name2 gauge\nname2{labelname=\"val2\"\t,basename   =   \"basevalue2\"\t\t} +Inf\nname2{ labelname = \"val1\" , }-Inf\n",
        )],
    ),
    Scenario::new(
        "P03: a summary spread over the text",
        &[put(
            J,
            "# TYPE my_summary summary\nmy_summary{n1=\"val1\",quantile=\"0.5\"} 110\nmy_summary_sum{n1=\"val1\"} 08\nmy_summary_count{n1=\"val1\"} 6\nmy_summary{n1=\"val2\",quantile=\"-12.34\",} NaN\nfake_sum{n1=\"val1\"} 2001\nmy_summary{n1=\"val1\",quantile=\"0.9\"} 140\nmy_summary_count{n2=\"v\"} 3\n# HELP my_summary\nmy_summary_sum{n2=\"v\"} 4\n",
        )],
    ),
    Scenario::new(
        "P04: a histogram",
        &[put(
            J,
            "# HELP request_duration_microseconds The response latency.\n# TYPE request_duration_microseconds histogram\nrequest_duration_microseconds_bucket{le=\"100\"} 123\nrequest_duration_microseconds_bucket{le=\"120\"} 412\nrequest_duration_microseconds_bucket{le=\"144\"} 592\nrequest_duration_microseconds_bucket{le=\"172.8\"} 1524\nrequest_duration_microseconds_bucket{le=\"+Inf\"} 2693\nrequest_duration_microseconds_sum 1.7560473e+06\nrequest_duration_microseconds_count 2693\n",
        )],
    ),
    Scenario::new(
        "P12: a histogram of floats",
        &[put(
            J,
            "# TYPE h histogram\nh_bucket{le=\"100\"} 123.5\nh_bucket{le=\"+Inf\"} 2693.5\nh_sum 1.7560473e+06\nh_count 2693.5\n",
        )],
    ),
    Scenario::new(
        "P13: a histogram whose count alone is fractional",
        &[put(
            J,
            "# TYPE h histogram\nh_bucket{le=\"100\"} 123\nh_bucket{le=\"+Inf\"} 2693\nh_sum 1.7560473e+06\nh_count 2693.5\n",
        )],
    ),
    Scenario::new(
        "P14: a histogram one bucket of which is fractional",
        &[put(
            J,
            "# TYPE h histogram\nh_bucket{le=\"100\"} 123.1\nh_bucket{le=\"+Inf\"} 2693\nh_sum 1.7560473e+06\nh_count 2693\n",
        )],
    ),
    Scenario::new(
        "P15: a gauge histogram",
        &[put(
            J,
            "# TYPE g gaugehistogram\ng_bucket{le=\"100\"} 123\ng_bucket{le=\"+Inf\"} 2693\ng_gsum 1756\ng_gcount 2693\n",
        )],
    ),
    Scenario::new(
        "P15: a gauge histogram with the suffixes of a histogram",
        &[put(
            J,
            "# TYPE g gaugehistogram\ng_bucket{le=\"100\"} 123\ng_bucket{le=\"+Inf\"} 2693\ng_sum 1756\ng_count 2693\n",
        )],
    ),
    Scenario::new(
        "P16: the other spelling",
        &[put(
            J,
            "# TYPE g gauge_histogram\ng_bucket{le=\"100\"} 123\ng_bucket{le=\"+Inf\"} 2693\ng_sum 1756\ng_count 2693\n",
        )],
    ),
    Scenario::new(
        "P17: a gauge histogram of floats",
        &[put(
            J,
            "# TYPE g gaugehistogram\ng_bucket{le=\"100\"} 123.5\ng_bucket{le=\"+Inf\"} 2693\ng_sum 1756\ng_count 2693\n",
        )],
    ),
    Scenario::new(
        "HELP is shown as it was pushed",
        &[put(
            J,
            "# HELP a \"quoted\" \\\\ back \\n line é\n# TYPE a gauge\na{x=\"\\\"\\\\\\né\"} 1\n",
        )],
    ),
    Scenario::new("HELP with nothing", &[put(J, "# HELP a\n# TYPE a gauge\na 1\n")]),
    Scenario::new("letters of a type", &[put(J, "# TYPE a GAUGE\na 1\n")]),
    Scenario::new("letters of a type, mixed", &[put(J, "# TYPE a Counter\na 1\n")]),
    Scenario::new("names with colons", &[put(J, "a:b 1\n:c 2\n_d 3\n")]),
    Scenario::new(
        "P20: the last line without an end",
        &[put(J, "bla 3.14\nblubb 42")],
    ),
    Scenario::new(
        "P21: an unknown escape",
        &[put(J, "metric{label=\"\\t\"} 3.14\n")],
    ),
    Scenario::new(
        "P22: a raw line feed in a value",
        &[put(J, "metric{label=\"new\nline\"} 3.14\n")],
    ),
    Scenario::new(
        "P23: a label name that begins with @",
        &[put(J, "metric{@=\"bla\"} 3.14\n")],
    ),
    Scenario::new(
        "P24: a label __name__",
        &[put(J, "metric{__name__=\"bla\"} 3.14\n")],
    ),
    Scenario::new(
        "P25: a plus before the equals sign",
        &[put(J, "metric{label+=\"bla\"} 3.14\n")],
    ),
    Scenario::new(
        "P26: a value without quotes",
        &[put(J, "metric{label=bla} 3.14\n")],
    ),
    Scenario::new(
        "P27: a quantile that is no number",
        &[put(J, "# TYPE metric summary\nmetric{quantile=\"bla\"} 3.14\n")],
    ),
    Scenario::new(
        "P28: more after a value",
        &[put(J, "metric{label=\"bla\"+} 3.14\n")],
    ),
    Scenario::new(
        "P29: half a millisecond",
        &[put(J, "metric{label=\"bla\"} 3.14 2.72\n")],
    ),
    Scenario::new(
        "P30: more after the time",
        &[put(J, "metric{label=\"bla\"} 3.14 2 3\n")],
    ),
    Scenario::new(
        "P31: a value that is no number",
        &[put(J, "metric{label=\"bla\"} blubb\n")],
    ),
    Scenario::new(
        "P32: HELP twice",
        &[put(J, "# HELP metric one\n# HELP metric two\n")],
    ),
    Scenario::new(
        "P33: TYPE twice",
        &[put(J, "# TYPE metric counter\n# TYPE metric untyped\n")],
    ),
    Scenario::new(
        "P34: TYPE after a sample",
        &[put(J, "metric 4.12\n# TYPE metric counter\n")],
    ),
    Scenario::new("P35: an unknown type", &[put(J, "# TYPE metric bla\n")]),
    Scenario::new("P36: no name after TYPE", &[put(J, "# TYPE met-ric\n")]),
    Scenario::new(
        "P37: a name that begins with @",
        &[put(J, "@invalidmetric{label=\"bla\"} 3.14 2\n")],
    ),
    Scenario::new(
        "P38: labels without a name",
        &[put(J, "{label=\"bla\"} 3.14 2\n")],
    ),
    Scenario::new(
        "P39: a bound that is no number",
        &[put(
            J,
            "# TYPE metric histogram\nmetric_bucket{le=\"bla\"} 3.14\n",
        )],
    ),
    Scenario::new(
        "P40: a value that is not UTF-8",
        &[Request::made("PUT", J, || b"metric{l=\"\xbd\"} 3.14\n".to_vec())],
    ),
    Scenario::new("P41: underscores in a number", &[put(J, "foo 1_2\n")]),
    Scenario::new("P42: a hexadecimal float", &[put(J, "foo 0x1p-3\n")]),
    Scenario::new("P43: another", &[put(J, "foo 0x1P-3\n")]),
    Scenario::new("P44: 0x", &[put(J, "foo 0x1\n")]),
    Scenario::new("P45: 0X", &[put(J, "foo 0X1\n")]),
    Scenario::new("P46: 0b", &[put(J, "foo 0b1\n")]),
    Scenario::new("P47: 0B", &[put(J, "foo 0B1\n")]),
    Scenario::new("P48: 0o", &[put(J, "foo 0o1\n")]),
    Scenario::new("P49: 0O", &[put(J, "foo 0O1\n")]),
    Scenario::new(
        "P50: a hexadecimal bound",
        &[put(J, "# TYPE h histogram\nh_bucket{le=\"0x1p-3\"} 1\n")],
    ),
    Scenario::new(
        "P51: a hexadecimal quantile",
        &[put(J, "# TYPE s summary\ns{quantile=\"0x1p-3\"} 1\n")],
    ),
    Scenario::new(
        "P52: a label twice",
        &[put(J, "metric{label=\"bla\",label=\"bla\"} 3.14\n")],
    ),
    Scenario::new("P53: two quoted names", &[put(J, "{\"one\",\"two\"} 3.14\n")]),
    Scenario::new("P54: an unknown escape in a name", &[put(J, "{\"a\\xc5z\"} 1\n")]),
    Scenario::new(
        "P55: a dot after a quoted name",
        &[put(J, "{\"name\".label=\"bla\"} 3.14\n")],
    ),
    Scenario::new(
        "P56: an unknown escape in TYPE",
        &[put(J, "# TYPE \"a\\xc5z\" counter\n")],
    ),
    Scenario::new(
        "P57: a raw line feed in a name",
        &[put(J, "{\"name\nline\"} 3.14\n")],
    ),
    Scenario::new(
        "P58: a raw line feed in a label name",
        &[put(J, "{\"name\",\"a\nb\"=\"c\"} 3.14\n")],
    ),
    Scenario::new(
        "P59: a quoted name that needs no quotes",
        &[put(J, "{\"name\"} 3.14\n")],
    ),
    Scenario::new(
        "P60: a quoted label name with a dot",
        &[put(J, "{\"name\",\"a.b\"=\"c\"} 3.14\n")],
    ),
    Scenario::new(
        "P61: a count below zero",
        &[put(J, "# TYPE h histogram\nh_count -1\n")],
    ),
    Scenario::new(
        "P62: a bucket below zero",
        &[put(J, "# TYPE h histogram\nh_bucket{le=\"1.1\"} -1\n")],
    ),
    Scenario::new(
        "P63: a fractional count below zero",
        &[put(J, "# TYPE h histogram\nh_count -1.5\n")],
    ),
    Scenario::new(
        "P64: a fractional bucket below zero",
        &[put(J, "# TYPE h histogram\nh_bucket{le=\"1.1\"} -1.5\n")],
    ),
    Scenario::new(
        "P65: empty braces, over which a Pushgateway's handler panics",
        &[put(J, "{} 3.14\n").but(Deliberate::BadPushHurtsNobodyElse, 0, 400)],
    ),
    Scenario::new("P65: an open brace", &[put(J, "a{\n")]),
    Scenario::new("a name alone", &[put(J, "a\n")]),
    Scenario::new("a name and a blank", &[put(J, "a \n")]),
    Scenario::new(
        "a summary's count with a fraction",
        &[put(J, "# TYPE s summary\ns_count 1.5\n")],
    ),
    Scenario::new(
        "a count of not a number",
        &[put(J, "# TYPE h histogram\nh_count NaN\n")],
    ),
    Scenario::new(
        "a bucket without a bound",
        &[put(J, "# TYPE h histogram\nh_bucket 1\n")],
    ),
    Scenario::new(
        "a bound twice",
        &[put(
            J,
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1\"} 2\nh_count 2\n",
        )],
    ),
    Scenario::new(
        "bounds out of order",
        &[put(
            J,
            "# TYPE h histogram\nh_bucket{le=\"2\"} 2\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 1\nh_count 3\n",
        )],
    ),
    Scenario::new(
        "bounds as nobody writes them",
        &[put(
            J,
            "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"1e6\"} 2\nh_bucket{le=\"inf\"} 3\nh_sum 1\nh_count 3\n",
        )],
    ),
    Scenario::new(
        "a quantile twice",
        &[put(
            J,
            "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.5\"} 2\n",
        )],
    ),
    Scenario::new(
        "a quantile of a gauge",
        &[put(J, "# TYPE s gauge\ns{quantile=\"0.5\"} 1\n")],
    ),
    Scenario::new(
        "a summary before its type",
        &[put(J, "s{quantile=\"0.5\"} 1\ns_count 2\ns_sum 3\n")],
    ),
];
