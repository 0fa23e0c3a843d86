# An echo server of Perl's Protocol::WebSocket, one connection at a time, for our client to talk to.
use strict;
use warnings;

use IO::Socket::INET;
use Protocol::WebSocket::Frame;
use Protocol::WebSocket::Handshake::Server;

my %LIMIT = (max_payload_size => 1 << 25, max_fragments_amount => 1 << 20);
my %TYPE = (1 => 'text', 2 => 'binary', 8 => 'close', 9 => 'pong');

# Sends all of it.
sub sent {
    my ($socket, $bytes) = @_;
    for (my $at = 0; $at < length $bytes;) {
        $at += syswrite($socket, $bytes, 1 << 16, $at) // die "cannot write: $!\n";
    }
}

sub served {
    my ($socket) = @_;
    my $handshake = Protocol::WebSocket::Handshake::Server->new;
    until ($handshake->is_done) {
        sysread $socket, my $byte, 1 or return;
        $handshake->parse($byte) or die $handshake->error . "\n";
    }
    sent($socket, $handshake->to_string);
    my $frame = Protocol::WebSocket::Frame->new(%LIMIT);
    while (sysread $socket, my $bytes, 1 << 16) {
        $frame->append($bytes);
        while (defined(my $payload = $frame->next_bytes)) {
            my $type = $TYPE{ $frame->opcode } or next;
            sent($socket, Protocol::WebSocket::Frame->new(%LIMIT, type => $type, buffer => $payload)->to_bytes);
            return if $type eq 'close';
        }
    }
}

my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 5) or die "cannot listen\n";
$| = 1;
print 'listening on ws://127.0.0.1:' . $listener->sockport . "/\n";
while (my $socket = $listener->accept) {
    eval { served($socket); 1 } or print $@;
}
