#   The guide's Ruby broker, Titanic and worker (github.com/booksbyus/zguide,
#   examples/Ruby), with Debian's ruby-ffi-rzmq:
#
#       seatrial run --target zguide-ruby --define zguide=PATH
#
#   Titanic wants the gem awesome_print: --define rubylib=FOLDER, "." for none.
#   Heartbeats are fixed at 2.5 s.
target
    name = "the guide's Ruby pair and worker"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1 tsp/1.0"
    heartbeat = 2500
broker
    command = "ruby ${zguide}/examples/Ruby/mdbroker.rb"
titanic
    command = "ruby -I ${rubylib} ${zguide}/examples/Ruby/titanic.rb"
worker
    command = "ruby ${zguide}/examples/Ruby/mdworker.rb"
