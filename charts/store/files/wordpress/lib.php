<?php
/**
 * What every step of set-up shares: settings, secrets, the database, locks and exit codes. Nothing
 * here loads WordPress.
 *
 * Exit codes: 0 done; 70 failed; 75 try again (database away, lock busy); 78 wrong settings or
 * password.
 */
const FAILED = 70;
const TRY_AGAIN = 75;
const MISCONFIGURED = 78;
const TABLE_MISSING = 1146; // ER_NO_SUCH_TABLE
const PREFIX = 'wp_';
const DATABASE = 'wordpress'; // its name and its user's
const LOST = array(2006, 2013); // CR_SERVER_GONE_ERROR, CR_SERVER_LOST

if ('cli' === PHP_SAPI) {
	ini_set('display_errors', 'stderr');
	ini_set('log_errors', '0');
}
set_time_limit(0);
mysqli_report(MYSQLI_REPORT_OFF);

/** Ends this process or request: a sentence in the log, a code and the sentence for whoever waits. */
function fail(int $code, string $message): never {
	if (function_exists('finish')) { // in setup.php, whose last word is the termination message
		finish($code, array('step' => 'setup', 'error' => $message));
	}
	file_put_contents('php://stderr', $message . "\n");
	$GLOBALS['urumi_done'] = true;
	report(array('error' => $message, 'code' => $code));
	exit($code);
}

/** Hands a step's result to set-up, in a file of its own: plugins print where they like. */
function report(array $result): void {
	if (getenv('URUMI_REPORT')) {
		file_put_contents(getenv('URUMI_REPORT'), json_encode($result, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE));
	}
}

function settings(): array {
	$text = @file_get_contents('/etc/urumi/settings.json');
	$settings = json_decode((string) $text, true);
	if (!is_array($settings) || !filter_var($settings['url'] ?? '', FILTER_VALIDATE_URL)) {
		fail(MISCONFIGURED, 'the shop\'s settings are missing or its address is not a URL');
	}
	return $settings;
}

function secret(string $path): string {
	$value = trim((string) @file_get_contents('/run/secrets/' . $path), "\r\n");
	if ('' === $value) {
		fail(MISCONFIGURED, 'the Secret store-credentials has no ' . basename($path));
	}
	return $value;
}

/** A connection, or null while the database is away. A wrong password ends this process. */
function try_connect(): ?mysqli {
	$db = mysqli_init();
	$db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 3);
	if (@$db->real_connect('mysql', DATABASE, secret('store/database-password'), DATABASE)) {
		return $db;
	}
	if (in_array($db->connect_errno, array(1044, 1045, 1049), true)) {
		fail(MISCONFIGURED, 'the database refuses the password in the Secret store-credentials');
	}
	return null;
}

/** Waits for the database; between two tries it does something else, or sleeps. */
function connect(float $seconds, ?callable $meanwhile = null): mysqli {
	$deadline = microtime(true) + $seconds;
	do {
		$db = try_connect();
		if ($db) {
			return $db;
		}
		$meanwhile ? $meanwhile() : usleep(200000);
	} while (microtime(true) < $deadline);
	fail(TRY_AGAIN, 'the database does not answer yet');
}

/**
 * Takes a lock that the server drops with the connection. A killed parent leaves its child running,
 * so each step holds one of its own.
 */
function lock(mysqli $db, string $name, int $seconds): void {
	$taken = $db->query("SELECT GET_LOCK('urumi_$name', $seconds)");
	if (!$taken || '1' !== (string) $taken->fetch_row()[0]) {
		fail(TRY_AGAIN, 'another set-up of this shop is at work');
	}
}

/**
 * The first column of the first row, or null where there is none or its table is missing. A database
 * that does not answer ends this process: silence is not taken for "there is nothing".
 */
function first_value(mysqli $db, string $query, string ...$arguments): ?string {
	$statement = @$db->prepare($query);
	if (!$statement && TABLE_MISSING === $db->errno) {
		return null;
	}
	$result = $statement && $statement->execute($arguments) ? $statement->get_result() : false;
	if (!$result) {
		fail(TRY_AGAIN, 'the database does not say what the shop has: ' . $db->error);
	}
	$row = $result->fetch_row();
	return $row ? (string) $row[0] : null;
}

/** The value of an option, or null where the option or its table is missing. */
function option(mysqli $db, string $name): ?string {
	return first_value($db, 'SELECT option_value FROM ' . PREFIX . 'options WHERE option_name = ?', $name);
}

/** The code of a failure beside this connection: where it was lost, another try may do it. */
function code_beside(?mysqli $db): int {
	return in_array($db?->errno, LOST, true) ? TRY_AGAIN : FAILED;
}

function write(mysqli $db, string $query, string ...$arguments): void {
	$statement = $db->prepare($query);
	if (!$statement || !$statement->execute($arguments)) {
		fail(code_beside($db), 'the database did not write: ' . $db->error);
	}
}

function set_option(mysqli $db, string $name, string $value): void {
	write(
		$db,
		'INSERT INTO ' . PREFIX . "options (option_name, option_value, autoload) VALUES (?, ?, 'off')
		ON DUPLICATE KEY UPDATE option_value = VALUES(option_value)",
		$name,
		$value
	);
}

function remove_option(mysqli $db, string $name): void {
	write($db, 'DELETE FROM ' . PREFIX . 'options WHERE option_name = ?', $name);
}
