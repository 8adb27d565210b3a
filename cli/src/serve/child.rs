//! A command that runs while the server does.
//!
//! Owns its surroundings and its end. Must not know what it does.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};

use redlua::server::net::{End, Listening};

/// Runs the command to its end; the exit status is the command's.
pub(super) fn run(
    words: &[OsString],
    listening: &Listening,
    password: Option<&str>,
) -> Result<ExitCode, String> {
    let Some((program, args)) = words.split_first() else { return Ok(ExitCode::SUCCESS) };
    let mut command = Command::new(program);
    command.args(args);
    if let Some(address) = listening.addresses().first() {
        let login = password.map(|word| format!(":{}@", escaped(word))).unwrap_or_default();
        command
            .env("REDIS_URL", format!("redis://{login}{address}"))
            .env("REDIS_HOST", address.ip().to_string())
            .env("REDIS_PORT", address.port().to_string());
    } else if let Some(path) = listening.unix() {
        let login = password.map(|word| format!("?password={}", escaped(word)));
        let url = format!("unix://{}{}", path.display(), login.unwrap_or_default());
        command.env("REDIS_URL", url);
    }
    let mut child =
        command.spawn().map_err(|error| format!("cannot run `{}`: {error}", program.display()))?;
    let id = child.id();
    let signals = listening.on_signal(move |end| match end {
        // The terminal has interrupted the command too: it decides what becomes of it.
        End::Interrupted | End::Shutdown => {}
        End::Terminated => terminate(id),
    });
    signals.map_err(|error| error.to_string())?;
    let status = child.wait().map_err(|error| error.to_string())?;
    let code = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Passes a SIGTERM on.
fn terminate(id: u32) {
    // The standard library can only kill; should there be no such program, the command goes on
    // to its own end.
    let _ = Command::new("kill").arg(id.to_string()).stderr(Stdio::null()).status();
}

/// A password as it stands in a URL.
fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(
            |byte| {
                if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}
