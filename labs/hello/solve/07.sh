#!/bin/bash
mkdir -p /root/bin
cat >/root/bin/moons <<'END'
#!/bin/bash
# Count the moons in the log files given as arguments, most frequent first.
if [ $# -eq 0 ]; then
    echo "Usage: moons FILE..." >&2
    exit 2
fi
cat "$@" | awk '{print $3}' | grep -v -e clouds -e note | sort | uniq -c | sort -nr
END
chmod u+x /root/bin/moons
