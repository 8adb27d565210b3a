//! Cases on a target, several at a time.
//!
//! Owns the order of a case's commands and its time limit. Must not know what a good reply is
//! (`verdict`) nor how to make one (`target`).

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Case, Connection, Error, Finding, Instance, Step, Target, Verdict, judge};

/// What a target answered to a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// The reply to each step, as it is kept; shorter than the steps when the case broke off.
    pub replies: Vec<String>,
    /// Why it broke off.
    pub broken: Option<Broken>,
}

/// Why a case ended before its last step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Its time was up.
    Hung,
    /// A connection was closed, or worse.
    Failed(String),
}

/// Runs cases on a target.
pub struct Runner {
    target: Arc<dyn Target>,
    limit: Duration,
    server: String,
}

impl Runner {
    /// A runner that gives each case five seconds and expects the replies of 7.0.15.
    pub fn new(target: impl Target + 'static) -> Self {
        Runner { target: Arc::new(target), limit: Duration::from_secs(5), server: "7.0.15".into() }
    }

    /// Gives each case another time.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Expects the replies of another server version, where the cases know them.
    pub fn server(mut self, version: &str) -> Self {
        self.server = version.into();
        self
    }

    /// What reports call the target.
    pub fn name(&self) -> &str {
        self.target.name()
    }

    /// Runs the cases; the findings are in their order.
    pub fn run(&self, cases: &[Arc<Case>]) -> Vec<Finding> {
        let next = AtomicUsize::new(0);
        let findings = Mutex::new(vec![Finding::identical(); cases.len()]);
        let work = || {
            while let Some((index, case)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, cases.get(i)?)))
            {
                let finding = self.examine(case);
                let mut findings = findings.lock().unwrap_or_else(|poison| poison.into_inner());
                if let Some(place) = findings.get_mut(index) {
                    *place = finding;
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.target.parallel().max(1) {
                scope.spawn(work);
            }
            work();
        });
        findings.into_inner().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Runs one case and compares its replies.
    pub fn examine(&self, case: &Arc<Case>) -> Finding {
        let played = self.play(case);
        let mut worst = Finding::identical();
        let expected = case.expected(&self.server);
        let unrecorded = "(not recorded)".to_owned();
        for step in 0..case.steps.len() {
            let expected = expected.get(step).unwrap_or(&unrecorded);
            let (verdict, found) = match (played.replies.get(step), &played.broken) {
                (Some(found), _) => (judge(expected, found), found.clone()),
                (None, Some(Broken::Hung)) => (Verdict::Hung, "(nothing in time)".to_owned()),
                (None, Some(Broken::Failed(why))) => (Verdict::Different, format!("({why})")),
                (None, None) => (Verdict::Different, "(no reply)".to_owned()),
            };
            if verdict > worst.verdict {
                worst = Finding { verdict, step, expected: expected.clone(), found };
            }
        }
        worst
    }

    /// Runs one case in a thread of its own, which is left alone when it does not end: the other
    /// cases go on.
    pub fn play(&self, case: &Arc<Case>) -> Played {
        let (sender, receiver) = mpsc::channel();
        let (target, case, limit) = (Arc::clone(&self.target), Arc::clone(case), self.limit);
        let thread = thread::Builder::new().name(case.id.clone()).spawn(move || {
            let _ = sender.send(play(&*target, &case, limit));
        });
        let broken = |broken| Played { replies: Vec::new(), broken: Some(broken) };
        if let Err(error) = thread {
            return broken(Broken::Failed(error.to_string()));
        }
        // The target's own timeouts come first: they know which step it was.
        match receiver.recv_timeout(self.limit + self.limit / 2) {
            Ok(played) => played,
            Err(RecvTimeoutError::Timeout) => broken(Broken::Hung),
            Err(RecvTimeoutError::Disconnected) => broken(Broken::Failed("panicked".into())),
        }
    }
}

/// Runs one case on a target in its initial state.
pub fn play(target: &dyn Target, case: &Case, limit: Duration) -> Played {
    let mut played = Played::default();
    if let Err(error) = target.start().map_err(Error::from).and_then(|instance| {
        let deadline = Instant::now() + limit;
        let links = BTreeMap::new();
        Stage { case, instance, links, deadline, received: Vec::new() }.perform(&mut played)
    }) {
        played.broken = Some(match &error {
            Error::Target(error) if error.kind() == ErrorKind::TimedOut => Broken::Hung,
            Error::Target(error) => Broken::Failed(format!("connection: {error}")),
            other => Broken::Failed(other.to_string()),
        });
    }
    played
}

/// A case being run.
struct Stage<'a> {
    case: &'a Case,
    instance: Box<dyn Instance>,
    links: BTreeMap<String, Box<dyn Connection>>,
    deadline: Instant,
    received: Vec<Vec<u8>>,
}

impl Stage<'_> {
    fn perform(mut self, played: &mut Played) -> Result<(), Error> {
        let steps = self.steps(played);
        // Whatever happened, later cases want the configuration they expect.
        let post = self.unrecorded(&self.case.post);
        steps.and(post)
    }

    fn steps(&mut self, played: &mut Played) -> Result<(), Error> {
        self.unrecorded(&self.case.setup)?;
        for index in 0..self.case.steps.len() {
            let reply = match self.case.step(index, &self.received)? {
                Step::Call(name, argv) => {
                    self.link(&name)?.send(&argv)?;
                    self.receive(&name)?
                }
                Step::Send(name, argv) => {
                    self.link(&name)?.send(&argv)?;
                    b"+sent\r\n".to_vec()
                }
                Step::Receive(name) => self.receive(&name)?,
                Step::Sleep(pause) => {
                    thread::sleep(pause);
                    b"+slept\r\n".to_vec()
                }
            };
            played.replies.push(self.case.kept(index, &reply));
            self.received.push(reply);
        }
        Ok(())
    }

    fn unrecorded(&mut self, commands: &[Vec<crate::Arg>]) -> Result<(), Error> {
        for command in commands {
            let argv = self.case.argv(command, &self.received)?;
            self.link("a")?.send(&argv)?;
            self.receive("a")?;
        }
        Ok(())
    }

    fn receive(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        Ok(self.link(name)?.receive(left.max(Duration::from_millis(1)))?)
    }

    /// The connection of that name, opened when it is first used.
    fn link(&mut self, name: &str) -> Result<&mut Box<dyn Connection>, Error> {
        if !self.links.contains_key(name) {
            let mut link = self.instance.connect()?;
            if self.case.resp == 3 {
                link.send(&[b"HELLO".to_vec(), b"3".to_vec()])?;
                link.receive(self.deadline.saturating_duration_since(Instant::now()))?;
            }
            self.links.insert(name.to_owned(), link);
        }
        self.links.get_mut(name).ok_or_else(|| Error::Form {
            id: self.case.id.clone(),
            what: "a connection that is not there".into(),
        })
    }
}
