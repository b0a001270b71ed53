//! Applies the child's limits and then attempts typical actions of a compromised parser.
//!
//! That includes reusing the number of a standard descriptor. It prints each attempt that succeeded and
//! then `done`, so the expected output is `done` alone.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("no port")?.parse()?;
    parlance_extract::limits::apply()?;
    let inherited = (3..1024).any(|descriptor| nix::unistd::close(descriptor).is_ok());
    // Number 0 is free now; a descriptor limit of three would allow it.
    nix::unistd::close(0)?;
    let attempts: [(&str, bool); 9] = [
        ("kept a descriptor", inherited),
        ("is dumpable", is_dumpable()),
        ("connected", std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()),
        ("bound", std::net::UdpSocket::bind("127.0.0.1:0").is_ok()),
        ("resolved", std::net::ToSocketAddrs::to_socket_addrs("example.org:80").is_ok()),
        ("read", std::fs::File::open("/etc/hostname").is_ok()),
        ("wrote", std::fs::write(std::env::temp_dir().join("parlance-confined"), "x").is_ok()),
        ("started", std::process::Command::new("/bin/true").output().is_ok()),
        ("allocated", Vec::<u8>::new().try_reserve(2 << 30).is_ok()),
    ];
    let mut output = std::io::stdout();
    for (name, _) in attempts.iter().filter(|(_, succeeded)| *succeeded) {
        writeln!(output, "{name}")?;
    }
    writeln!(output, "done")?;
    Ok(())
}

#[cfg(target_os = "linux")]
fn is_dumpable() -> bool {
    nix::sys::prctl::get_dumpable() != Ok(false)
}

#[cfg(not(target_os = "linux"))]
fn is_dumpable() -> bool {
    false
}
