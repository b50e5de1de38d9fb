# An attempt that is known to have made no job makes room for the next one. Variables: root, key, token (the
# attempt's holder, or `asked`).
enter "$key"
case $token in
asked) seen=$attempt/asked ;;
*) seen=$attempt/holder.$token ;;
esac
# The lock goes with its directory, in one rename, and only the lock that was looked at.
[ -f "$seen" ] && mv "$attempt" "$attempt.$nonce" && rm -rf "$attempt.$nonce"
inspect
finish
