# Python 2.7. Runs wstest with its listener on the loopback interface, where the suite itself listens on all of them,
# and says when it listens.
import autobahntestsuite.choosereactor  # which has to come before the reactor
from autobahntestsuite import wstest
from twisted.internet import reactor

listen_tcp = reactor.listenTCP


def listen_on_loopback(port, factory, backlog=50, interface=""):
    listener = listen_tcp(port, factory, backlog, "127.0.0.1")
    print("listening on ws://127.0.0.1:%d/" % port)
    return listener


reactor.listenTCP = listen_on_loopback
wstest.run()
