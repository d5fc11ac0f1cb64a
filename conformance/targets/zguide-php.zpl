#   The guide's PHP broker, Titanic and worker (github.com/booksbyus/zguide,
#   examples/PHP), with Debian's php-cli and php-zmq:
#
#       seatrial run --target zguide-php --define zguide=PATH
#
#   Heartbeats are fixed at 2.5 s. Titanic has a pipe in /tmp with a fixed name.
target
    name = "the guide's PHP pair and worker"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1 tsp/1.0"
    heartbeat = 2500
broker
    command = "php ${zguide}/examples/PHP/mdbroker.php"
titanic
    command = "php ${zguide}/examples/PHP/titanic.php"
worker
    command = "php ${zguide}/examples/PHP/mdworker.php"
