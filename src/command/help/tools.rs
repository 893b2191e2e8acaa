//! What the help says of the commands for nodes that run.

use crate::flags::Tool;

/// What stands before the flags of a command, and behind them.
pub(super) fn around(tool: Tool) -> (String, String) {
    let (before, behind) = match tool {
        Tool::Ps => (PS, LOOK_END),
        Tool::Top => (TOP, TOP_END),
        Tool::Observe => (OBSERVE, LOOK_END),
        Tool::Attach => (ATTACH, ATTACH_END),
        Tool::NodeStart => return (format!("{NODE}\nFlags:\n"), NODE_END.into()),
    };
    let place = match tool {
        Tool::Observe => " The address that is printed opens the node to whoever\nhas it.",
        Tool::Attach => ATTACH_MORE,
        _ => "",
    };
    let before = format!("{before}\n{ADDR}{place}\n\nFlags:\n");
    (before, format!("{behind}\n{ENVIRONMENT}"))
}

const ADDR: &str = "\
ADDR is where the node is observed; it is the one node of this user that runs here, or
127.0.0.1:9460, if none is named.";

const ATTACH_MORE: &str = " What is typed is completed with the tabulator, earlier
lines are kept, and warnings of the node are told as they come. Commands may also be read
from a pipe. `help` lists them: `rusm attach -c help`.";

const ENVIRONMENT: &str = "\
Environment:
  RUSM_CONTROL_TOKEN
                   The control token of the node: who knows it may look and act. That of
                   this user's own nodes here is in the folder `rusm` of ~/.config
  RUSM_OBSERVE_TOKEN
                   The secret of those who may look
";

const PS: &str = "\
List the processes of a node that runs

Usage: rusm ps [FLAGS] [ADDR]
";

const TOP: &str = "\
Show a node at work: its counters, workers and processes, refreshed

Usage: rusm top [FLAGS] [ADDR]
";

const OBSERVE: &str = "\
Open the dashboard of a node that runs

Usage: rusm observe [FLAGS] [ADDR]
";

const ATTACH: &str = "\
Talk with a node that runs: look at it, and act on it

Usage: rusm attach [FLAGS] [ADDR]
";

const NODE: &str = "\
Start a node that is observed, with the app in a folder or with nothing on it

Usage: rusm node start [FLAGS] [FOLDER]

FOLDER has a rusm.toml. The node runs until the app has ended, or a signal comes; without
an app until a signal comes. It is observed on 127.0.0.1:9460 if nothing else is said.
";

const LOOK_END: &str = "\
Exit status: 0; 1 when the node cannot be reached or does not let us in; 2 when the
command line makes no sense.
";

const ATTACH_END: &str = "\
Exit status: 0; 1 when the node cannot be reached, or something could not be done; 2 when
the command line makes no sense.
";

const TOP_END: &str = "\
Keys:
  r m b c          Rank by reductions, memory, mailbox (b) or time on a processor
  w                What was spent lately, or since the start
  /                Type a filter; Enter takes it, Escape does not
  j k, arrows      Choose a process; Enter looks at it
  K                Kill it, after a question
  space            Pause
  + -              Refresh more often, or less often
  q                Quit

Exit status: 0; 1 when the node cannot be reached, or is lost; 2 when the command line
makes no sense; 130 and 143 after signals.
";

const NODE_END: &str = "\
Exit status: 130 after Ctrl-C and 143 after SIGTERM; otherwise the app's: 0 when it has
ended, 1 when it failed or could not be run; 2 when the command line makes no sense.

Environment:
  RUSM_CONTROL_TOKEN
                   Secret of 16 or more characters: who knows it may act on the node.
                   Otherwise it is in `control-token` in the folder `rusm` of ~/.config
                   ($XDG_CONFIG_HOME), which is made
  RUSM_OBSERVE_TOKEN
                   Secret of 16 or more characters that is asked of who looks; needed
                   where other machines can look
";
