//! `rusm observe`: where the dashboard of a node is, with what opens it; and the browser that shows it.

use std::process::{Command, Stdio};

use super::help;
use crate::door::Door;
use crate::error::Failure;
use crate::options::DashboardOptions;
use crate::report;

/// What shows an address in the user's browser.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// Prints the address; the answer is the status of our process.
pub(super) fn run(options: DashboardOptions) -> Result<u8, Failure> {
    let door = Door::find(options.at.as_deref())?;
    // An address where no node is, or that does not let us in, is worth nothing.
    let client = door.act()?;
    let at = client.at();
    // A fragment is not sent to the server, and stands in no log.
    let url = match client.token() {
        Some(token) => format!("http://{at}/#token={token}"),
        None => format!("http://{at}/"),
    };
    let status = help::print(&format!("{url}\n"))?;
    if options.opens {
        let opened = Command::new(OPENER)
            .arg(&url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !opened.is_ok_and(|status| status.success()) {
            report::to_stderr(&format!(
                "`{OPENER}` did not open it. Give the address to a browser."
            ));
        }
    }
    Ok(status)
}
