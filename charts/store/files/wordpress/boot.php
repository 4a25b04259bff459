<?php
/**
 * Loads WordPress for one step of set-up, quietly (quiet.php). Required at file level, never inside a
 * function: WordPress makes globals. The step sets $urumi_plugins first.
 */
$urumi_address = parse_url($urumi_settings['url']);
$_SERVER['HTTP_HOST'] = $urumi_address['host'] . (isset($urumi_address['port']) ? ':' . $urumi_address['port'] : '');
$_SERVER['SERVER_NAME'] = $urumi_address['host'];
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REMOTE_ADDR'] = '127.0.0.1';
$_SERVER['REQUEST_METHOD'] = 'GET';
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['QUERY_STRING'] = '';
$_GET = $_REQUEST = array(); // what a step was told is not WordPress'
$_SERVER['PHP_SELF'] = $_SERVER['SCRIPT_NAME'] = '/index.php';

/** The code of a failure of WordPress'. */
function code_of_wordpress(): int {
	$handle = $GLOBALS['wpdb']->dbh ?? null;
	return code_beside($handle instanceof mysqli ? $handle : null);
}

// Every exit that did not say "done" is a failure: wp_die() and redirects exit with 0.
register_shutdown_function(
	static function (): void {
		if (empty($GLOBALS['urumi_done'])) {
			$who = is_file(ABSPATH . 'wp-content/db.php') ? 'the drop-in wp-content/db.php, or WordPress,' : 'WordPress';
			fail(code_of_wordpress(), 'set-up ended early: ' . strtok((string) (error_get_last()['message'] ?? "$who stopped it"), "\n"));
		}
	}
);

require __DIR__ . '/quiet.php';
$urumi_die = static fn() => static function ($message): never {
	$text = is_object($message) && method_exists($message, 'get_error_message') ? $message->get_error_message() : $message;
	fail(code_of_wordpress(), 'WordPress stopped: ' . trim(preg_replace('/\s+/', ' ', strip_tags((string) $text))));
};
foreach (array('wp_die_handler', 'wp_die_ajax_handler', 'wp_die_json_handler', 'wp_die_xml_handler') as $urumi_filter) {
	add_filter($urumi_filter, $urumi_die, PHP_INT_MAX);
}
require ABSPATH . 'wp-load.php';
