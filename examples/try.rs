//! scratch
use redlua::*;
fn main() {
    let mut c = Client::new();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let t = std::time::Instant::now();
    let r = c.command(args).unwrap();
    eprintln!("{:?}", t.elapsed());
    println!("{}", String::from_utf8_lossy(&r.human()));
}
