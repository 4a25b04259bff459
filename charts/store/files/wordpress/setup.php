<?php
/**
 * Makes an empty database a shop, or repairs and upgrades one; a run that finds nothing to do says
 * so. Holds the database lock for the whole, runs each step as a process of its own and leaves one
 * JSON object as the termination message.
 */
require __DIR__ . '/lib.php';

/** Runs one step and returns its report; ends this process with the step's code when it fails. */
function step(string $name): array {
	fwrite(STDERR, "step $name\n");
	$descriptors = array(0 => array('file', '/dev/null', 'r'), 1 => STDERR, 2 => STDERR, 3 => array('pipe', 'w'));
	$process = proc_open(php(__DIR__ . "/$name.php"), $descriptors, $pipes, null, array('URUMI_REPORT' => '1') + getenv());
	$said = json_decode((string) stream_get_contents($pipes[3]), true);
	fclose($pipes[3]);
	$code = proc_close($process);
	if (0 === $code && is_array($said)) {
		return $said;
	}
	finish(in_array($code, array(TRY_AGAIN, MISCONFIGURED), true) ? $code : FAILED, array(
		'step'  => $name,
		'error' => $said['error'] ?? "step $name ended with code $code",
	));
}

/** Leaves the result where Kubernetes looks for it, and ends. */
function finish(int $code, array $result): never {
	$text = json_encode($result, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
	@file_put_contents('/dev/termination-log', substr($text, 0, 4000));
	fwrite(STDERR, $text . "\n");
	exec('rm -rf ' . CACHE . '/*'); // memory, which would be the pod's until it ends
	exit($code);
}

$started = microtime(true);
$settings = settings();
$db = connect(300);
lock($db, 'setup', 60);
$engine = option($db, 'urumi_engine') ?? $settings['engine'];
if ($engine !== $settings['engine']) {
	finish(MISCONFIGURED, array('step' => 'setup', 'error' => "this was set up with the engine $engine, which is chosen once; {$settings['engine']} needs a store of its own"));
}
$steps = array('install');
if ('woocommerce' === $settings['engine']) {
	$steps[] = 'activate';
}
$steps[] = 'configure';
$result = array('engine' => $settings['engine']);
$did = array();
foreach ($steps as $name) {
	$said = step($name);
	$did = array_merge($did, $said['did'] ?? array());
	unset($said['did']);
	$result += $said;
}
$result['changed'] = $did ? implode(', ', $did) : 'nothing';
$result['milliseconds'] = (int) ((microtime(true) - $started) * 1000);
finish(0, $result);
