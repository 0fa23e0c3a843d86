# Perl's Protocol::WebSocket as the client of server_tokio: one line a check, exit status 1 when one fails.
#
# Usage: echoed.pl URL
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use IO::Socket::INET;
use Protocol::WebSocket::Frame;
use Protocol::WebSocket::Handshake::Client;

my ($url) = @ARGV;
my ($host, $port) = $url =~ m{^ws://([^:/]+):(\d+)/} or die "no URL: $url\n";
my $failed = 0;

$SIG{ALRM} = sub { die "too late\n" };

# Returns a connection behind the handshake.
sub connected {
    my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Proto => 'tcp', Timeout => 5) or die "no connection\n";
    my $handshake = Protocol::WebSocket::Handshake::Client->new(url => $url);
    print $socket $handshake->to_string;
    until ($handshake->is_done) {
        sysread $socket, my $bytes, 1 or die "the stream ended within the handshake\n";
        $handshake->parse($bytes) or die $handshake->error . "\n";
    }
    return { socket => $socket, frame => Protocol::WebSocket::Frame->new(max_payload_size => 1 << 21) };
}

sub sent {
    my ($self, %frame) = @_;
    my $bytes = Protocol::WebSocket::Frame->new(masked => 1, max_payload_size => 1 << 21, %frame)->to_bytes;
    $self->{socket}->syswrite($bytes) == length $bytes or die "not all was written\n";
}

# Returns the opcode and the payload of the next message.
sub received {
    my ($self) = @_;
    while (1) {
        my $payload = $self->{frame}->next_bytes;
        return ($self->{frame}->opcode, $payload) if defined $payload;
        sysread $self->{socket}, my $bytes, 65536 or die "the stream ended\n";
        $self->{frame}->append($bytes);
    }
}

sub is_echoed {
    my ($self, $type, $opcode, $payload) = @_;
    sent($self, type => $type, buffer => $payload);
    my ($got, $answer) = received($self);
    die "opcode $got, not $opcode\n" if $got != $opcode;
    die length($answer) . " other bytes\n" if $answer ne $payload;
}

sub check {
    my ($what, $check) = @_;
    my $passed = eval { alarm 20; $check->(connected()); alarm 0; 1 };
    alarm 0;
    $failed ||= !$passed;
    print $passed ? "ok Protocol::WebSocket/client: $what\n" : "FAIL Protocol::WebSocket/client: $what: $@";
}

my $text = encode_utf8('Latin äöü · Ελληνικά · кириллица · 漢字かな · 🦀🎉');
check('text in five scripts', sub { is_echoed($_[0], 'text', 1, $text) });
check('empty text', sub { is_echoed($_[0], 'text', 1, '') });
for my $length (1, 125, 126, 65535, 65536, 1 << 20) {
    check("binary of $length", sub { is_echoed($_[0], 'binary', 2, join '', map { chr($_ % 251) } 1 .. $length) });
}
check('fragments', sub {
    my ($self) = @_;
    sent($self, type => 'text', fin => 0, buffer => substr $text, 0, 7);
    sent($self, type => 'continuation', fin => 1, buffer => substr $text, 7);
    my (undef, $answer) = received($self);
    die "other bytes\n" if $answer ne $text;
});
check('ping', sub { sent($_[0], type => 'ping', buffer => 'hello'); die "no pong\n" if join(' ', received($_[0])) ne '10 hello' });
check('close 3000 answered', sub {
    sent($_[0], type => 'close', buffer => pack('n', 3000) . 'reason');
    my ($opcode, $body) = received($_[0]);
    die "opcode $opcode\n" if $opcode != 8 or $body ne pack('n', 3000) . 'reason';
});
check('not masked closed with 1002', sub {
    sent($_[0], type => 'text', masked => 0, buffer => 'a');
    my ($opcode, $body) = received($_[0]);
    die "opcode $opcode\n" if $opcode != 8 or unpack('n', $body) != 1002;
});
exit $failed;
