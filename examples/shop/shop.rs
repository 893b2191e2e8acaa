//! A small shop: a supervision tree with a till (a server), clerks that come and go, a group that hears of every sale, and
//! a timer that closes the day. Run it with `cargo run -p rusm-actor --example shop`.

use std::time::Duration;

use rusm_actor::server::{Answer, Next, Refusal, ReplyTo, Server, ServerRef, Start};
use rusm_actor::supervisor::{Child, Restart, Strategy, Supervisor};
use rusm_actor::{Config, Context, ExitReason, Message, Node};

/// Adds up what was sold and tells the group `sales` of each sale.
struct Till {
    cents: u64,
}

/// What the till can be asked.
enum Ask {
    Sell { cents: u64 },
    Total,
}

impl Server for Till {
    type Args = ();
    type Call = Ask;
    type Reply = u64;
    type Cast = ();

    async fn init((): (), ctx: &mut Context) -> Result<Self, Refusal> {
        // As in OTP, only who traps exits has a last word.
        ctx.trap_exit(true);
        Ok(Till { cents: 0 })
    }

    async fn handle_call(&mut self, ask: Ask, _: ReplyTo<u64>, ctx: &mut Context) -> Answer<u64> {
        if let Ask::Sell { cents } = ask {
            self.cents += cents;
            ctx.node().publish("sales", &cents.to_le_bytes());
        }
        Answer::now(self.cents)
    }

    async fn handle_info(&mut self, message: Message, _: &mut Context) -> Next {
        println!("till: nobody expected {message:?}");
        Next::Wait
    }

    async fn terminate(&mut self, reason: &ExitReason, _: &mut Context) {
        println!("till: {} cents in the end ({reason})", self.cents);
    }
}

const TILL: &str = "till";

/// Sells something every few milliseconds, and drops a tray now and then: its supervisor
/// sends in the next one.
async fn clerk(mut ctx: Context, name: &'static str) -> Result<(), ExitReason> {
    let till = ServerRef::<Till>::named(TILL);
    for sale in 1.. {
        let (_, timer) = ctx.start_timer(Duration::from_millis(5), ctx.pid(), "next");
        if sale % 4 == 0 {
            timer.cancel();
            panic!("{name} dropped a tray");
        }
        ctx.receive_match(|message| message.timeout().is_some())
            .await;
        till.call(&mut ctx, Ask::Sell { cents: 250 }).await?;
    }
    Ok(())
}

/// Hears of every sale, as a member of the group.
async fn bookkeeper(mut ctx: Context) {
    ctx.node().join("sales", ctx.pid()).expect("it is alive");
    let mut sales = 0_u64;
    loop {
        let sale = ctx.receive().await;
        sales += 1;
        if sales.is_multiple_of(10) {
            println!(
                "bookkeeper: {sales} sales, the last of {} bytes",
                sale.bytes().len()
            );
        }
    }
}

fn shop() -> Supervisor {
    let staff = Supervisor::new(Strategy::OneForOne)
        .intensity(100, Duration::from_secs(1))
        .child(Child::worker("ada", |ctx| clerk(ctx, "ada")))
        .child(Child::worker("bob", |ctx| clerk(ctx, "bob")));
    // Whoever comes later needs those before: without a till there is nothing to do for clerks.
    Supervisor::new(Strategy::RestForOne)
        .child(Child::server::<Till>("till", Start::new().name(TILL), ()))
        .child(Child::worker("bookkeeper", bookkeeper).restart(Restart::Transient))
        .child(Child::supervisor("staff", staff))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    rusm_actor::set_crash_sink(|report| println!("{report}"));
    let node = Node::start(Config::default())?;
    node.start_supervisor(shop())?;
    let total = node.block_on(|mut ctx| async move {
        // The day is over when the timer says so.
        let (evening, _) = ctx.start_timer(Duration::from_millis(200), ctx.pid(), "evening");
        ctx.receive_match(|message| message.timeout() == Some(evening))
            .await;
        ServerRef::<Till>::named(TILL)
            .call(&mut ctx, Ask::Total)
            .await
    })??;
    println!("sold for {total} cents until the evening");
    // Staff first, then the bookkeeper, the till last.
    let stopped = node.stop(Duration::from_secs(1));
    assert!(stopped.killed.is_empty(), "everybody went home in time");
    Ok(())
}
