#   The Python broker, worker and client of generaldomo
#   (github.com/brettviren/generaldomo), with Debian's python3-zmq:
#
#       seatrial run --target generaldomo --define generaldomo=PATH
#
#   They are modules; the commands here start them. Heartbeats are fixed at 2.5 s.
target
    name = "generaldomo"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1"
    heartbeat = 2500
broker
    command = "PYTHONPATH=${generaldomo} exec /usr/bin/python3 -c 'import sys; from generaldomo.broker import Broker; b = Broker (); b.bind (sys.argv [1]); b.mediate ()' ${endpoint}"
worker
    command = "PYTHONPATH=${generaldomo} exec /usr/bin/python3 -c 'import sys, zmq, itertools; from generaldomo.worker import Worker; w = Worker (sys.argv [1], sys.argv [2].encode (), zmq.DEALER); r = [None]; all (r.append (w.recv (r [-1])) or r [-1] is not None for _ in itertools.count ())' ${endpoint} echo"
    slow = "PYTHONPATH=${generaldomo} exec /usr/bin/python3 -c 'import sys, time, zmq, itertools; from generaldomo.worker import Worker; w = Worker (sys.argv [1], sys.argv [2].encode (), zmq.DEALER); r = [None]; all (r.append (w.recv (r [-1])) or time.sleep (30) or r [-1] is not None for _ in itertools.count ())' ${endpoint} echo"
client
    command = "PYTHONPATH=${generaldomo} exec /usr/bin/python3 -c 'import sys, zmq; from generaldomo.client import Client; c = Client (sys.argv [1], zmq.DEALER); c.send (sys.argv [2].encode (), [b.encode () for b in sys.argv [3:]]); r = c.recv (); print (r); sys.exit (not r)' ${endpoint} ${service} ${body}"
    prints = 1
