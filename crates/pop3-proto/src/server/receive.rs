//! What arrives, up to the next event.

use sasl::ServerSignIn;
use wire::{InBuf, Layer, Limit, Need, line};

use super::error::{Error, Fault, Wait, Whence};
use super::event::Event;
use super::{After, Current, Phase, Server};
use crate::grammar;
use crate::session::{Lines, State};
use crate::types::Command;

impl Server {
    /// Works through the buffer until something is needed.
    pub(super) fn receive(&mut self, input: &mut InBuf) -> Need {
        loop {
            if self.ready.is_some() {
                return Need::Event;
            }
            match &self.phase {
                Phase::Failed(_) => return Need::Event,
                Phase::Over => return Need::Close,
                Phase::Upgrading => match self.upgrade.look(input) {
                    Err(wire::Injection) => self.fail(Error::StlsInjection),
                    Ok(_) if input.is_closed() => self.fail(Error::Closed(Whence::StartTls)),
                    Ok(_) => return Need::Upgrade(Layer::Tls),
                },
                Phase::Greeting => return self.app(),
                phase if phase.is_answering() => return self.app(),
                // A client that does not read its replies is not read either.
                _ if !self.can_write() => return Need::Input,
                _ => {
                    if !self.read(input) {
                        if !input.is_closed() {
                            return Need::Input;
                        }
                        self.fail(Error::Closed(self.whence(input)));
                    }
                }
            }
        }
    }

    fn app(&self) -> Need {
        if self.can_write() { Need::App } else { Need::Input }
    }

    /// Reads on; `false` when more octets are needed.
    fn read(&mut self, input: &mut InBuf) -> bool {
        match self.take_phase() {
            Phase::Command => self.read_command(input),
            phase @ Phase::SignIn(..) => {
                self.phase = phase;
                self.read_response(input)
            }
            other => {
                self.phase = other;
                false
            }
        }
    }

    /// The end of the line at the head of `input`; `None` when it has not come.
    ///
    /// # Errors
    /// When it is longer than `max` octets, its end included.
    pub(super) fn line_end(&mut self, input: &InBuf, max: usize) -> Result<Option<usize>, ()> {
        match self.scanner.line_end(input.unread()) {
            Some(end) if end <= max => Ok(Some(end)),
            None if input.len() < max => Ok(None),
            _ => {
                self.scanner.reset();
                Err(())
            }
        }
    }

    fn read_command(&mut self, input: &mut InBuf) -> bool {
        let limits = &self.config.limits;
        let max = if self.is_authenticated() { limits.line } else { limits.pre_auth_line };
        match self.line_end(input, max) {
            Ok(None) => {
                self.phase = Phase::Command;
                return false;
            }
            Ok(Some(end)) => {
                let line = line::content(input.unread().get(..end).unwrap_or_default());
                self.take(line, end);
                input.consume(end);
            }
            // Where the next command begins is not known.
            Err(()) => self.bad(Fault::Limit(Limit::Line), true),
        }
        true
    }

    /// A command line that is complete, `len` octets long with its end.
    fn take(&mut self, line: &[u8], len: usize) {
        // It counts for the command right behind it and for nothing else.
        let named = self.named.take();
        if !self.is_authenticated() {
            self.pre_auth = self.pre_auth.saturating_add(len as u64);
            if self.pre_auth > self.config.limits.pre_auth_total {
                return self.bad(Fault::Limit(Limit::PreAuthTotal), true);
            }
        }
        if len > self.config.longest_command {
            return self.bad(Fault::Limit(Limit::Line), false);
        }
        let command = match grammar::command(line) {
            Ok(command) => command,
            Err(error) => return self.bad(Fault::Syntax(error), false),
        };
        if let Some(fault) = self.forbids(&command) {
            return self.bad(fault, false);
        }
        let current = self.current(&command);
        let (event, phase) = match command {
            Command::Pass(password) => match named {
                Some(name) => (Event::Login { name, password }, Phase::Answering(current)),
                None => return self.bad(Fault::State(self.state), false),
            },
            Command::Auth { mechanism, initial } => (
                Event::Auth { mechanism, initial: initial.is_some() },
                Phase::SignIn(current, ServerSignIn::new(initial)),
            ),
            Command::Stls => (Event::Stls, Phase::Answering(current)),
            command => (Event::Command(command), Phase::Answering(current)),
        };
        self.ready = Some(event);
        self.phase = phase;
    }

    /// Why a command that follows the grammar is not for the application to execute.
    fn forbids(&self, command: &Command) -> Option<Fault> {
        if !self.state.allows(command) || (self.tls && matches!(command, Command::Stls)) {
            return Some(Fault::State(self.state));
        }
        let credentials = matches!(
            command,
            Command::User(_) | Command::Pass(_) | Command::Apop { .. } | Command::Auth { .. }
        );
        (credentials && !self.config.security.allows_credentials(self.tls)).then_some(Fault::NoTls)
    }

    fn current(&self, command: &Command) -> Current {
        let after = match command {
            Command::Quit => After::Close,
            Command::Stls => After::Tls,
            _ => After::Next,
        };
        let name = match command {
            Command::User(name) => Some(name.clone()),
            _ => None,
        };
        Current { then: self.state.after(command), after, lines: Lines::of(command), name }
    }

    /// Something that cannot be executed.
    pub(super) fn bad(&mut self, fault: Fault, closes: bool) {
        self.ready = Some(Event::BadCommand { fault, closes });
        let after = if closes { After::Close } else { After::Next };
        self.phase = Phase::Answering(Current { then: self.state, after, lines: None, name: None });
    }

    /// Where the stream ended.
    fn whence(&self, input: &InBuf) -> Whence {
        match &self.phase {
            Phase::SignIn(..) => Whence::SignIn,
            _ if input.is_empty() => Whence::Idle,
            _ => Whence::Command,
        }
    }

    /// What is being waited for.
    pub(super) fn wait(&self, input: &InBuf) -> wire::Wait<Wait> {
        let t = &self.config.timeouts;
        match &self.phase {
            _ if self.state == State::Authorization => {
                wire::Wait { kind: Wait::SignIn, limit: t.sign_in, least_rate: None }
            }
            Phase::Command if input.is_empty() && self.out.is_empty() => {
                wire::Wait { kind: Wait::Idle, limit: t.idle, least_rate: None }
            }
            _ => wire::Wait { kind: Wait::Stall, limit: t.stall, least_rate: Some(t.min_rate) },
        }
    }
}
