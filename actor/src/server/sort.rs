//! What a message is to a server or a state machine: a request, a cast, its parent's end, a
//! request of the system, or anything else.

use std::any::Any;
use std::marker::PhantomData;

use crate::call::Caller;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::pid::Pid;
use crate::signal::Signal;
use crate::sys::Request;

/// A request `C` that wants an `R`. Only a [`super::Service`] makes one, so a process that
/// finds it knows what the caller takes for an answer.
pub(crate) struct Ask<C, R>(C, PhantomData<fn() -> R>);

/// A cast.
pub(crate) struct Tell<K>(pub(crate) K);

impl<C: Send + 'static, R: 'static> Ask<C, R> {
    pub(crate) fn message(request: C) -> Message {
        Message::native(Ask::<C, R>(request, PhantomData))
    }
}

/// A message, sorted.
#[must_use]
pub(crate) enum Sorted<C, K> {
    Call(C, Caller),
    Cast(K),
    Info(Message),
    /// The parent has ended, or wants the process to end.
    Parent(ExitReason),
    System(Caller, Request),
}

/// Sorts a message for a process whose parent is `parent`.
pub(crate) fn sort<C, R, K>(message: Message, parent: Option<Pid>) -> Sorted<C, K>
where
    C: Send + 'static,
    R: 'static,
    K: Send + 'static,
{
    let letter = message.into_letter();
    match &*letter {
        Signal::Call { message, .. } if message.is::<Ask<C, R>>() => {
            let (caller, asked) = open::<Ask<C, R>>(letter.into_inner());
            Sorted::Call(asked.0, caller)
        }
        Signal::Call { message, .. } if message.is::<Request>() => {
            let (caller, request) = open(letter.into_inner());
            Sorted::System(caller, request)
        }
        Signal::Native(value) if value.is::<Tell<K>>() => match letter.into_inner() {
            Signal::Native(value) => {
                let told = value.downcast::<Tell<K>>();
                Sorted::Cast(told.expect("it was looked at above").0)
            }
            _ => unreachable!("it was looked at above"),
        },
        Signal::Exit { from, reason, .. } if from.is_some() && *from == parent => {
            Sorted::Parent(reason.clone())
        }
        _ => Sorted::Info(Message::from_letter(letter)),
    }
}

/// Caller and content of a call that was seen to hold a `T`.
fn open<T: Any>(call: Signal) -> (Caller, T) {
    match call {
        Signal::Call {
            from,
            reference,
            message,
        } => {
            let content = message.downcast().ok();
            let content = content.expect("the caller has looked at it");
            (Caller::new(from, reference), content)
        }
        _ => unreachable!("the caller has looked at it"),
    }
}

/// Is it for the process even while it is suspended?
pub(crate) fn is_urgent(message: &Message, parent: Option<Pid>) -> bool {
    use crate::message::Content;
    match message.content() {
        Content::Call(_, request) => request.is::<Request>(),
        Content::Exit(from, _) => from.is_some() && from == parent,
        _ => false,
    }
}
