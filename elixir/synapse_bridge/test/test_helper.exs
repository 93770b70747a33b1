# Tests give names addresses of this machine (:inet_db.add_host/2).
:inet_db.set_lookup([:file, :native])
ExUnit.start(capture_log: true)
