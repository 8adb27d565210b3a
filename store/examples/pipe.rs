//! A store on standard input and output: RESP requests in, RESP replies out.
//!
//! For comparing the store with a server, request by request. It runs plain commands on one
//! connection; what needs an engine or several connections is not here.

use std::io::{Read, Write};

use redlua_conversions::resp::{RequestParser, RespWriter};
use redlua_core::{CommandFlags, Host, ReplySink, Session};
use redlua_store::Store;

fn main() -> std::io::Result<()> {
    let mut store = Store::new();
    let mut session = Session { id: 3, ..Session::default() };
    store.connect(session.id, "127.0.0.1:41812");
    let mut parser = RequestParser::default();
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    let mut chunk = [0; 1 << 16];
    loop {
        let read = input.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        parser.feed(&chunk[..read]);
        while let Ok(Some(argv)) = parser.next() {
            let argv: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
            let mut sink = RespWriter::new(Store::reply_protocol(&session, &argv));
            answer(&mut store, &mut session, &argv, &mut sink);
            output.write_all(sink.bytes())?;
        }
        output.flush()?;
    }
}

/// What a server does with one request: look it up, check it, run it.
fn answer(store: &mut Store, session: &mut Session, argv: &[&[u8]], sink: &mut RespWriter) {
    let Some(spec) = store.command(argv) else {
        let container = store.command(&argv[..1]).is_some();
        let word = |at: usize| String::from_utf8_lossy(argv.get(at).copied().unwrap_or_default());
        let text = if container {
            let upper = word(0).to_uppercase();
            format!("ERR unknown subcommand '{:.128}'. Try {upper} HELP.", word(1))
        } else {
            let args: String = argv[1..]
                .iter()
                .map(|arg| format!("'{}' ", String::from_utf8_lossy(arg)))
                .collect();
            format!("ERR unknown command '{:.128}', with args beginning with: {args}", word(0))
        };
        return sink.error(text.as_bytes());
    };
    let container = spec.flags.contains(CommandFlags::CONTAINER);
    if !spec.accepts(argv.len()) || container {
        let name = store.command_name(&spec);
        return sink
            .error(format!("ERR wrong number of arguments for '{name}' command").as_bytes());
    }
    store.call(session, &spec, argv, sink);
    if let Some(blocked) = store.take_blocked() {
        blocked.reply.push(sink);
    }
}
