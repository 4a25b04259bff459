<?php
/**
 * Brings WooCommerce to the volume where the image has none: the version that settings.json pins, by
 * its checksum, whole or not at all. A run that was killed goes on where it stopped. What is there
 * already stays when there is no network. The build of an image runs it too, also for the theme.
 *
 * Arguments: the folder of plugins, the version in it (empty: none), and for a build what to bring
 * and the lock file that pins it. Exit codes as in lib.php.
 */
require __DIR__ . '/lib.php';
const TRIES = 3;
const LARGEST = 256 * 1024 * 1024;

const KNOWN = array('woocommerce' => 'WooCommerce', 'storefront' => 'Storefront');

list(, $folder, $present, $what, $lock) = $argv + array('', '', '', 'woocommerce', '');
$name = KNOWN[$what] ?? fail(MISCONFIGURED, "'$what' is not known here");

/** Ends this process; a shop that has WooCommerce goes on with what it has. */
function give_up(int $code, string $message): never {
	if ('' !== $GLOBALS['present']) {
		echo "{$GLOBALS['name']} stays {$GLOBALS['present']}: $message\n";
		exit(0);
	}
	if (is_file('/dev/termination-log')) {
		@file_put_contents('/dev/termination-log', $message); // in a pod
	}
	fail($code, $message);
}

/** Appends what is missing of the archive; says what stood in the way, or nothing. */
function download(string $url, string $part): ?string {
	clearstatcache();
	$have = is_file($part) ? filesize($part) : 0;
	$http = array('timeout' => 30, 'user_agent' => 'urumi-stores', 'ignore_errors' => true, 'header' => $have ? array("Range: bytes=$have-") : array());
	$from = @fopen($url, 'rb', false, stream_context_create(array('http' => $http)));
	if (!$from) {
		return 'no answer from ' . parse_url($url, PHP_URL_HOST) . ' (no network?)';
	}
	$heads = preg_grep('~^HTTP/~', stream_get_meta_data($from)['wrapper_data']);
	$status = (int) (explode(' ', (string) end($heads))[1] ?? 0);
	if (416 === $status) {
		return null; // there is no more of it: the checksum decides
	}
	if (!in_array($status, array(200, 206), true)) {
		return parse_url($url, PHP_URL_HOST) . " answered $status";
	}
	$lengths = preg_grep('~^Content-Length:~i', stream_get_meta_data($from)['wrapper_data']);
	$size = 206 === $status ? $have : 0;
	$whole = $size + (int) trim(substr((string) end($lengths), strlen('Content-Length:')));
	$to = @fopen($part, 206 === $status ? 'ab' : 'wb');
	while ($to && !feof($from)) {
		$piece = fread($from, 1 << 16);
		if (false === $piece || stream_get_meta_data($from)['timed_out']) {
			return 'the download stopped in the middle';
		}
		if (strlen($piece) !== @fwrite($to, $piece)) {
			give_up(FAILED, "the volume of the shop's files is full or broken: storing {$GLOBALS['name']} failed");
		}
		$size += strlen($piece);
		if ($size > LARGEST) {
			return "it is larger than any release of {$GLOBALS['name']}";
		}
	}
	if (!$to || !fclose($to)) {
		give_up(FAILED, 'the volume of the shop\'s files cannot be written');
	}
	// PHP takes a connection that was closed too early for the end. What came is kept: the next try goes on.
	return $size < $whole ? 'the download stopped in the middle' : null;
}

/** Unpacks beside its place; every name has to be under the folder of what is brought. */
function unpack_into(string $archive, string $new): void {
	list($what, $name) = array($GLOBALS['what'], $GLOBALS['name']);
	$zip = new ZipArchive();
	if (true !== $zip->open($archive, ZipArchive::RDONLY)) {
		give_up(FAILED, "the archive of $name cannot be read");
	}
	for ($i = 0; $i < $zip->numFiles; $i++) {
		$entry = (string) $zip->getNameIndex($i);
		if (!str_starts_with($entry, "$what/") || preg_match('~(^|/)\.\.(/|$)|\\\\~', $entry)) {
			give_up(FAILED, "the archive of $name holds a file that is not $name's");
		}
	}
	$whole = @mkdir($new) && @$zip->extractTo($new);
	// extractTo() says nothing of a file that it could write only in part.
	for ($i = 0; $whole && $i < $zip->numFiles; $i++) {
		$entry = $zip->statIndex($i);
		$path = "$new/{$entry['name']}";
		$whole = str_ends_with($path, '/') || (@filesize($path) === $entry['size'] && hexdec(hash_file('crc32b', $path)) === $entry['crc']);
	}
	if (!$whole) {
		give_up(FAILED, "the volume of the shop's files is full or broken: unpacking $name failed");
	}
	$zip->close();
}

$pins = '' === $lock ? settings() : json_decode((string) @file_get_contents($lock), true);
$pinned = $pins[$what] ?? array();
$version = (string) ($pinned['version'] ?? '');
if ('' !== $present && ('' === $version || version_compare($present, $version, '>='))) {
	echo "$name $present is there\n";
	exit(0);
}
if (!preg_match('/^[0-9a-f]{64}$/', (string) ($pinned['sha256'] ?? ''))) {
	$way = '' === $lock ? 'run `make lock-images`, or use an image that has it, or the engine wordpress' : 'run `make lock-images` where there is a network';
	$cause = '' === $lock ? "the image has no $name, and " : '';
	give_up(MISCONFIGURED, "{$cause}no checksum of $name $version is pinned: $way");
}
$part = "$folder/.urumi-$what-$version.zip";
array_map('unlink', array_diff(glob("$folder/.urumi-$what-*.zip"), array($part))); // parts of older pins
$problem = null;
for ($try = 1; $try <= TRIES; $try++) {
	if (is_file($part) && hash_file('sha256', $part) === $pinned['sha256']) {
		break;
	}
	$problem = download($pinned['url'], $part);
	if (null === $problem && hash_file('sha256', $part) !== $pinned['sha256']) {
		unlink($part);
		$problem = 'what came is not what was pinned (its checksum differs)';
	}
	if (null === $problem) {
		break;
	}
	sleep($try < TRIES ? $try : 0);
}
if (null !== $problem) {
	give_up(TRY_AGAIN, "$name $version could not be downloaded: $problem");
}
unpack_into($part, "$folder/.urumi-new");
if (is_dir("$folder/$what")) {
	@mkdir("$folder/.urumi-old");
	rename("$folder/$what", "$folder/.urumi-old/$what"); // prepare.sh puts it back after a kill
}
rename("$folder/.urumi-new/$what", "$folder/$what");
unlink($part);
exec('rm -rf ' . escapeshellarg("$folder/.urumi-new") . ' ' . escapeshellarg("$folder/.urumi-old"));
echo "brought $name $version\n";
