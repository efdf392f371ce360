#!/bin/bash
if [ ! -f /srv/observatory/caretaker-note.txt ]; then
    if pgrep -f bin/caretaker >/dev/null; then
        echo "The caretaker is still sweeping. Send it the signal TERM with kill and its PID."
    else
        echo "The caretaker is gone and left no note: that was KILL, not TERM." \
            "Start it again with: /srv/observatory/bin/caretaker &"
    fi
    exit 1
fi
echo "Politely asked, properly answered."
