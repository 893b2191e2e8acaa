//! UDP on the loopback interface.

use std::io::ErrorKind;

use crate::support::{join, loopback, run, wait};
use rusm_io::UdpSocket;

#[test]
fn datagrams_arrive_whole_and_tell_whose_they_are() {
    for workers in [1, 2] {
        run(workers, |_| async {
            let mut server = UdpSocket::bind(loopback()).unwrap();
            let address = server.local_addr().unwrap();
            let client = join(&rusm_sched::handle(), async move {
                let mut client = UdpSocket::bind(loopback()).unwrap();
                client.connect(address).unwrap();
                for size in 0..100 {
                    client.send(&vec![size as u8; size]).await.unwrap();
                    let mut back = [0; 200];
                    let count = client.receive(&mut back).await.unwrap();
                    assert_eq!(back[..count], vec![size as u8; size]);
                }
            });
            let mut bytes = [0; 200];
            for size in 0..100 {
                let (count, peer) = server.receive_from(&mut bytes).await.unwrap();
                assert_eq!(count, size);
                server.send_to(&bytes[..count], peer).await.unwrap();
            }
            wait(client).await;
        });
    }
}

#[test]
fn a_connected_socket_learns_that_nobody_listens() {
    run(1, |_| async {
        let nobody = UdpSocket::bind(loopback()).unwrap().local_addr().unwrap();
        let mut socket = UdpSocket::bind(loopback()).unwrap();
        socket.connect(nobody).unwrap();
        socket.send(b"anyone?").await.unwrap();
        let error = socket.receive(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}
