//! Limits itself as the child does and then tries what a parser that was taken over would try: also to get
//! the number of a standard descriptor for something else. Says on standard output what succeeded, a word
//! each, so nothing is what it should say.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("no port")?.parse()?;
    parlance_extract::limits::apply()?;
    let kept = (3..1024).any(|descriptor| nix::unistd::close(descriptor).is_ok());
    // Its number is free now, and lies below any limit of three.
    nix::unistd::close(0)?;
    let tries: [(&str, bool); 9] = [
        ("kept a descriptor", kept),
        ("is read by others", is_read_by_others()),
        ("connected", std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()),
        ("bound", std::net::UdpSocket::bind("127.0.0.1:0").is_ok()),
        ("resolved", std::net::ToSocketAddrs::to_socket_addrs("example.org:80").is_ok()),
        ("read", std::fs::File::open("/etc/hostname").is_ok()),
        ("wrote", std::fs::write(std::env::temp_dir().join("parlance-confined"), "x").is_ok()),
        ("started", std::process::Command::new("/bin/true").output().is_ok()),
        ("allocated", Vec::<u8>::new().try_reserve(2 << 30).is_ok()),
    ];
    let mut output = std::io::stdout();
    for (word, _) in tries.iter().filter(|(_, succeeded)| *succeeded) {
        writeln!(output, "{word}")?;
    }
    writeln!(output, "done")?;
    Ok(())
}

#[cfg(target_os = "linux")]
fn is_read_by_others() -> bool {
    nix::sys::prctl::get_dumpable() != Ok(false)
}

#[cfg(not(target_os = "linux"))]
fn is_read_by_others() -> bool {
    false
}
