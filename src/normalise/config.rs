//! What an operator can set of the label rules, as typed: checked and compiled by `Rules::try_new`.

use crate::model::NameScheme;

/// One entry of `relabel_configs` as Prometheus writes it; `None` where the file says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleConfig {
    /// `source_labels`: joined with `separator` before matching.
    pub source_labels: Vec<String>,
    /// `separator`. Default `;`.
    pub separator: Option<String>,
    /// `target_label`: where the result goes.
    pub target_label: Option<String>,
    /// `regex`: RE2 syntax, anchored at both ends. Default `(.*)`.
    pub regex: Option<String>,
    /// `modulus` of `hashmod`.
    pub modulus: Option<u64>,
    /// `replacement`, with `$1` and `${name}`. Default `$1`.
    pub replacement: Option<String>,
    /// `action`, in any case. Default `replace`.
    pub action: Option<String>,
}

/// The limits of step 7; zero switches a limit off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelLimits {
    /// Most labels of a series, the metric's name included. Default 64: twice what Tencent takes, Flink sends 15.
    pub max_labels: usize,
    /// Longest label name in bytes. Default 1024, as Mimir and Tencent.
    pub max_name_bytes: usize,
    /// Longest label value in bytes. Default 2048, as Mimir and Tencent.
    pub max_value_bytes: usize,
}

impl Default for LabelLimits {
    fn default() -> Self {
        Self {
            max_labels: 64,
            max_name_bytes: 1024,
            max_value_bytes: 2048,
        }
    }
}

/// The `normalise:` block and `external_labels:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesConfig {
    /// Step 1: canonical name and its aliases, in order of preference. Empty switches the step off.
    pub aliases: Vec<(String, Vec<String>)>,
    /// Step 2: strips blanks around values and brings `job_id` into 32 lower-case hex digits. Default on.
    pub clean_values: bool,
    /// Step 2: a `+` in a grouping value is the blank that Flink's client meant. Default off.
    pub plus_as_space: bool,
    /// Step 3: splits Flink's random suffix off `job` into `instance`. Default on.
    pub split_random_suffix: bool,
    /// Step 3: the `job` of a pusher whose job is nothing but a suffix. Default `flink`.
    pub default_job: String,
    /// Step 4: takes `container_id` and `application_id` out of a YARN `tm_id`. Default on.
    pub yarn: bool,
    /// Step 5: labels added where absent.
    pub external_labels: Vec<(String, String)>,
    /// Step 6: Prometheus' `relabel_configs`.
    pub relabel: Vec<RuleConfig>,
    /// Step 7.
    pub limits: LabelLimits,
    /// Step 7: which names pass (`pushgateway.utf8_names`). Default classic ones.
    pub names: NameScheme,
}

impl Default for RulesConfig {
    fn default() -> Self {
        let table: [(&str, &[&str]); 10] = [
            (
                "instance_id",
                &[
                    "InstanceId",
                    "instanceId",
                    "cluster_id",
                    "clusterId",
                    "emr_id",
                    "emr_instance_id",
                ],
            ),
            ("job_id", &["jobid", "jobId", "JobId", "flink_job_id"]),
            ("job_name", &["jobname", "jobName", "flink_job_name"]),
            ("tm_id", &["taskmanager_id", "tmId"]),
            ("host", &["hostname"]),
            ("task_id", &["taskId"]),
            ("task_name", &["taskName"]),
            ("operator_id", &["operatorId"]),
            ("operator_name", &["operatorName"]),
            ("subtask_index", &["subtaskIndex"]),
        ];
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            aliases: table
                .iter()
                .map(|(name, also)| ((*name).to_owned(), owned(also)))
                .collect(),
            clean_values: true,
            plus_as_space: false,
            split_random_suffix: true,
            default_job: "flink".to_owned(),
            yarn: true,
            external_labels: Vec::new(),
            relabel: Vec::new(),
            limits: LabelLimits::default(),
            names: NameScheme::default(),
        }
    }
}
