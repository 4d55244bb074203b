//! `postkey status`

use clap::Args;

pub(super) const EXAMPLES: &str = "\
Looks at the configuration and the token store only; nobody is asked, and nothing is renewed. Whether the servers take what \
is there: postkey login --check

The exit code is 0 if nothing has ended, else that of the first thing that has (see postkey exit-codes). With --nagios it is \
0, 1, 2 or 3 as that convention has it; with --prometheus 0 whenever the metrics could be written.

Examples:
  postkey status
  postkey status work --within 30 --nagios
  postkey status --prometheus > /var/lib/node_exporter/postkey.prom.tmp";

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The accounts; all without it
    #[arg(value_name = "ACCOUNT")]
    pub(crate) accounts: Vec<String>,
    /// Warn of what ends within so many days
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = clap::value_parser!(u32).range(0..=3650))]
    pub(crate) within: u32,
    /// One line and an exit code as Nagios, Icinga and the like want them
    #[arg(long, conflicts_with_all = ["prometheus", "json"])]
    pub(crate) nagios: bool,
    /// Metrics for the textfile collector of Prometheus's node_exporter
    #[arg(long, conflicts_with = "json")]
    pub(crate) prometheus: bool,
}
