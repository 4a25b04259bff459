<?php
/**
 * Makes an empty database a shop, or repairs and upgrades one; a run that finds nothing to do says
 * so. Holds the database lock for the whole and leaves one JSON object as the termination message.
 * Each step is a request of its own to PHP's own server on loopback (serve.php): WordPress is loaded
 * anew for each, and compiled once for all, while the database still starts (warm.php).
 */
require __DIR__ . '/lib.php';
require __DIR__ . '/customer.php';

/** Runs PHP's own server until this process ends; returns its address. Steps leave their result in the file. */
function serve(string $report): string {
	$socket = stream_socket_server('tcp://127.0.0.1:0'); // a port that nobody listens on
	$address = stream_socket_get_name($socket, false);
	fclose($socket);
	// Nobody changes a program while set-up runs; 128 MB hold WooCommerce and all that set-up loads.
	$opcache = array('-d', 'opcache.enable=1', '-d', 'opcache.validate_timestamps=0', '-d', 'opcache.memory_consumption=128');
	$command = array_merge(array(PHP_BINARY), $opcache, array('-q', '-S', $address, '-t', '/usr/src/wordpress', __DIR__ . '/serve.php'));
	$process = proc_open($command, array(array('file', '/dev/null', 'r'), STDERR, STDERR), $pipes, null, array('URUMI_REPORT' => $report) + getenv());
	register_shutdown_function(static fn() => proc_terminate($process, 9));
	for ($deadline = microtime(true) + 30; proc_get_status($process)['running'] && microtime(true) < $deadline; usleep(10000)) {
		$socket = @stream_socket_client("tcp://$address", $code, $why, 1);
		if ($socket) {
			fclose($socket);
			return "http://$address";
		}
	}
	fail(FAILED, 'PHP\'s own server did not start: its log says why');
}

/** Has the server run a script; returns its report, or null where it left none. */
function ask(string $server, string $name, array $arguments = array()): ?array {
	file_put_contents(REPORT, '');
	$http = array('ignore_errors' => true, 'timeout' => 86400);
	$printed = (string) @file_get_contents("$server/urumi/$name?" . http_build_query($arguments), false, stream_context_create(array('http' => $http)));
	fwrite(STDERR, '' === trim($printed) ? '' : trim($printed) . "\n");
	$said = json_decode((string) file_get_contents(REPORT), true);
	return is_array($said) ? $said : null;
}

/** Runs one step and returns its report; ends this process with the step's code when it fails. */
function step(string $server, string $name, string ...$arguments): array {
	fwrite(STDERR, "step $name\n");
	$said = ask($server, $name, $arguments) ?? array('error' => "step $name was cut short, which is often for want of memory");
	if (isset($said['error'])) {
		finish($said['code'] ?? FAILED, array('step' => $name, 'error' => $said['error']));
	}
	return $said;
}

/** Leaves the result where Kubernetes looks for it, and ends. */
function finish(int $code, array $result): never {
	if (isset($result['error'])) {
		$result['error'] = mb_strimwidth($result['error'], 0, 1000, '...'); // 4096 bytes are kept
	}
	$text = json_encode($result, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
	@file_put_contents('/dev/termination-log', $text);
	fwrite(STDERR, $text . "\n");
	exit($code);
}

/** Buys what step `order` offers, as a customer would; returns what was done. */
function prove(string $server, string $url): array {
	$offer = step($server, 'order');
	if (!isset($offer['product'])) {
		return $offer['did'];
	}
	$began = microtime(true);
	try {
		$order = place_order(new Customer($server, $url), $offer['product'], $offer['shop']);
	} catch (RuntimeException $problem) {
		finish(FAILED, array('step' => 'order', 'error' => 'the shop takes no order yet: ' . $problem->getMessage()));
	}
	$took = (int) ((microtime(true) - $began) * 1000);
	return step($server, 'order', placed: (string) $order, milliseconds: (string) $took)['did'];
}

/** Whether WordPress takes them as they are: it drops characters of a name, and logs nobody in by a quoted password. */
function check_administrator(string $name, string $password): void {
	if (!preg_match('/^[A-Za-z0-9_.@-]{1,60}$/', $name)) {
		fail(MISCONFIGURED, 'the admin-username in the Secret store-credentials must be 1 to 60 letters, digits and _ . @ -');
	}
	if (preg_match('/[\'"\\\\]/', $password)) {
		fail(MISCONFIGURED, 'the admin-password in the Secret store-credentials has a quotation mark or a backslash, by which WordPress lets nobody in');
	}
}

$started = microtime(true);
$settings = settings();
define('REPORT', (string) @tempnam('/tmp', 'urumi-report-'));
if (!str_starts_with(REPORT, '/tmp/')) {
	fail(FAILED, 'the folder /tmp cannot be written');
}
register_shutdown_function(static fn() => unlink(REPORT));
$server = serve(REPORT);
$compiled = 0;
$db = connect(300, static function () use ($server, &$compiled): void {
	$compiled = null === $compiled ? null : ask($server, 'warm', array('from' => $compiled))['next'] ?? null;
	usleep(null === $compiled ? 200000 : 0);
});
lock($db, 'setup', 60);
$engine = option($db, 'urumi_engine') ?? $settings['engine'];
if ($engine !== $settings['engine']) {
	fail(MISCONFIGURED, "this was set up with the engine $engine, which is chosen once; {$settings['engine']} needs a store of its own");
}
if (null === option($db, 'urumi_ready')) { // a shop that serves is not stopped for it
	check_administrator(secret('admin/admin-username'), secret('admin/admin-password'));
}
$result = array('engine' => $settings['engine']);
$did = array();
foreach ('woocommerce' === $settings['engine'] ? array('install', 'activate', 'configure') : array('install', 'configure') as $name) {
	$said = step($server, $name);
	array_push($did, ...$said['did']);
	unset($said['did']);
	$result += $said;
}
if (null === option($db, 'urumi_ready')) {
	if ('woocommerce' === $settings['engine']) {
		array_push($did, ...prove($server, $settings['url']));
	}
	// Made anew by the first request: the process that installs would lose a plugin's endpoints.
	remove_option($db, 'rewrite_rules');
	set_option($db, 'urumi_ready', '1');
	$did[] = 'marked ready';
}
// The owner's cache of objects was off, and still has what was before.
if ($did && is_file('/usr/src/wordpress/wp-content/object-cache.php')) {
	ask($server, 'flush'); // a broken one stops nothing
}
$evidence = json_decode((string) option($db, 'urumi_order'), true);
$result += $evidence ? array('order' => $evidence) : array();
$result['changed'] = $did ? implode(', ', $did) : 'nothing';
$result['milliseconds'] = (int) ((microtime(true) - $started) * 1000);
finish(0, $result);
