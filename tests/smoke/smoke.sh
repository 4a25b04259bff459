#!/bin/sh
# The main job by curl alone: create, wait, list, events, idempotent repeat, bad input, delete, gone.
# Takes URUMI_URL (http://127.0.0.1:4000) and URUMI_TOKEN (default: .urumi/admin-token);
# SMOKE_ENGINE and SMOKE_ID say which store is made (wordpress, a name of its own);
# SMOKE_TIMEOUT is how many seconds Ready, and then gone, may take each (300). Needs curl and sed.
# Exits 0 when all passed. What it created it deletes, however it ends.
set -u

URL=${URUMI_URL:-http://127.0.0.1:4000}
TOKEN=${URUMI_TOKEN:-$(cat "${URUMI_DATA_DIR:-.urumi}/admin-token" 2>/dev/null)}
LIMIT=${SMOKE_TIMEOUT:-300}
API=${URL%/}/api/v1
ENGINE=${SMOKE_ENGINE:-wordpress}
ID=${SMOKE_ID:-smoke-$$-$(date +%s)}
WORK=$(mktemp -d) || exit 1
PASSED=0
FAILED=0
CREATED=

if [ -z "$TOKEN" ]; then
  echo "no token: set URUMI_TOKEN, or run beside the service's data dir" >&2
  exit 2
fi
# The token goes in through a file, not through the process list.
printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" >"$WORK/auth" && chmod 600 "$WORK/auth"

# call METHOD PATH [curl arguments…]: status in $STATUS, body in $WORK/body, headers in $WORK/head
call() {
  method=$1 path=$2
  shift 2
  : >"$WORK/body" && : >"$WORK/head"
  STATUS=$(curl -sS --noproxy '*' --connect-timeout 5 --max-time 30 -K "$WORK/auth" -X "$method" \
    -D "$WORK/head" -o "$WORK/body" -w '%{http_code}' "$@" "$API$path" 2>"$WORK/error") || STATUS=000
}

post() {
  body=$1
  shift
  call POST "$@" -H 'Content-Type: application/json' --data-binary "$body"
}

ok() {
  PASSED=$((PASSED + 1))
  echo "ok    $1"
}

bad() {
  FAILED=$((FAILED + 1))
  echo "FAIL  $1"
  echo "      status $STATUS, $(head -c 400 "$WORK/body" 2>/dev/null)$(cat "$WORK/error" 2>/dev/null)"
}

# expect STATUS TEXT-IN-BODY STEP
expect() {
  if [ "$STATUS" = "$1" ] && grep -qF -- "$2" "$WORK/body"; then ok "$3"; else bad "$3"; fi
}

cleanup() {
  if [ -n "$CREATED" ]; then call DELETE "/stores/$ID"; fi
  rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# wait_for STEP CONDITION-COMMAND: asks once a second until it holds, at most LIMIT seconds
wait_for() {
  step=$1
  shift
  end=$(($(date +%s) + LIMIT))
  while [ "$(date +%s)" -lt "$end" ]; do
    call GET "/stores/$ID"
    if "$@"; then
      ok "$step"
      return 0
    fi
    if grep -q '"phase": *"Failed"' "$WORK/body"; then break; fi
    sleep 1
  done
  bad "$step"
  return 1
}

is_ready() { grep -q '"phase": *"Ready"' "$WORK/body"; }
is_gone() { [ "$STATUS" = 404 ]; }

echo "smoke test of $URL, store $ID"
BODY="{\"id\":\"$ID\",\"name\":\"Smoke & Söhne\",\"engine\":\"$ENGINE\"}"

call GET /me
expect 200 '"role"' "the token is known"

CREATED=1
post "$BODY" /stores -H "Idempotency-Key: $ID"
expect 202 "\"$ID\"" "create answers 202 with the store"
if grep -qi "^location: .*/stores/$ID" "$WORK/head"; then ok "… and its Location"; else bad "… and its Location"; fi

post "$BODY" /stores -H "Idempotency-Key: $ID"
expect 202 "\"$ID\"" "the same create again gives the same answer"

post "{\"id\":\"$ID\",\"name\":\"Another\"}" /stores -H "Idempotency-Key: $ID"
expect 422 '"title"' "the key with another body is refused"

post "$BODY" /stores
expect 409 "$ID" "the id is taken"

wait_for "the store becomes Ready" is_ready

call GET "/stores/$ID"
expect 200 'Smoke & S' "the store is read back with its name"
if grep -qi '^etag: "' "$WORK/head"; then ok "… and a strong ETag"; else bad "… and a strong ETag"; fi

call GET "/stores?q=$ID&limit=10"
expect 200 "\"$ID\"" "the list finds it"

call GET "/stores/$ID/events"
expect 200 '"seq"' "its timeline has entries"

call GET "/stores/$ID/resources"
expect 200 '"StatefulSet"' "its objects are listed"

post '{"id":' /stores
expect 400 '"title"' "what is not JSON is refused"

post '{"id":"Not_An_Id","name":"x"}' /stores
expect 422 '"id"' "a wrong id is refused, and the field named"

post '{"name":"x","plan":"gigantic"}' /stores
expect 422 'small' "an unknown plan is refused, and those there are listed"

post '{"name":"x","colour":"red"}' /stores
expect 422 'colour' "an unknown field is refused"

call GET /stores/no-such-store-here
expect 404 '"title"' "what is not there is 404"

STATUS=$(curl -sS --noproxy '*' --max-time 30 -o "$WORK/body" -w '%{http_code}' "$API/stores" 2>"$WORK/error")
expect 401 '"title"' "without a token there is nothing to see"

call DELETE "/stores/$ID"
expect 202 "$ID" "delete answers 202"

wait_for "the store is gone" is_gone && CREATED=

call DELETE "/stores/$ID"
expect 404 '"title"' "deleting it again is 404"

echo "$PASSED passed, $FAILED failed"
[ "$FAILED" -eq 0 ]
