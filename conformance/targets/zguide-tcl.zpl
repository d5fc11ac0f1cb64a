#   The guide's Tcl broker, Titanic and worker (github.com/booksbyus/zguide, examples/Tcl),
#   with tclzmq (github.com/jdc8/tclzmq) in the folder TCLLIB:
#
#       seatrial run --target zguide-tcl --define zguide=PATH --define tcllib=TCLLIB
#
#   They look for their files in the working directory. Heartbeats are fixed at 2.5 s.
target
    name = "the guide's Tcl pair and worker"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1 tsp/1.0"
    heartbeat = 2500
broker
    command = "cp ${zguide}/examples/Tcl/*.tcl . && TCLLIBPATH=${tcllib} exec tclsh mdbroker.tcl"
titanic
    command = "cp ${zguide}/examples/Tcl/*.tcl . && TCLLIBPATH=${tcllib} exec tclsh titanic.tcl"
worker
    command = "cp ${zguide}/examples/Tcl/*.tcl . && TCLLIBPATH=${tcllib} exec tclsh mdworker.tcl"
