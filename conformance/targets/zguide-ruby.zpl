#   The guide's Ruby broker, Titanic and worker (github.com/booksbyus/zguide,
#   examples/Ruby), with Debian's ruby-ffi-rzmq:
#
#       seatrial run --target zguide-ruby --define zguide=PATH
#
#   The programs look for each other in the working directory, so that they are copied.
#   Titanic wants the gem awesome_print: --define rubylib=FOLDER, "." for none.
#   Heartbeats are fixed at 2.5 s.
target
    name = "the guide's Ruby pair and worker"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1 tsp/1.0"
    heartbeat = 2500
broker
    command = "cp -n ${zguide}/examples/Ruby/*.rb . && exec ruby mdbroker.rb"
titanic
    command = "cp -n ${zguide}/examples/Ruby/*.rb . && exec ruby -I ${rubylib} titanic.rb"
worker
    command = "cp -n ${zguide}/examples/Ruby/*.rb . && exec ruby mdworker.rb"
