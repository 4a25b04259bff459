<?php
/**
 * Loads WordPress for one step of set-up, without its owner's plugins and theme (a broken one must
 * not stop set-up), without mail, outgoing requests or cron. Required at file level, never inside a
 * function: WordPress makes globals. The step sets $urumi_plugins first.
 */
$urumi_address = parse_url($urumi_settings['url']);
$_SERVER['HTTP_HOST'] = $urumi_address['host'] . (isset($urumi_address['port']) ? ':' . $urumi_address['port'] : '');
$_SERVER['SERVER_NAME'] = $urumi_address['host'];
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REMOTE_ADDR'] = '127.0.0.1';
$_SERVER['REQUEST_METHOD'] = 'GET';
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['PHP_SELF'] = '/index.php';

// Every exit that did not say "done" is a failure: wp_die() and redirects exit with 0.
register_shutdown_function(
	static function (): void {
		if (empty($GLOBALS['urumi_done'])) {
			$last = error_get_last();
			fwrite(STDERR, 'set-up ended early: ' . ($last['message'] ?? 'WordPress stopped it') . "\n");
			exit(FAILED);
		}
	}
);

define('ABSPATH', '/usr/src/wordpress/');
define('WPMU_PLUGIN_DIR', '/nonexistent');
require ABSPATH . 'wp-includes/plugin.php';
$urumi_die = static fn() => static function ($message): never {
	$text = is_object($message) && method_exists($message, 'get_error_message') ? $message->get_error_message() : $message;
	fail(FAILED, 'WordPress stopped: ' . trim(preg_replace('/\s+/', ' ', strip_tags((string) $text))));
};
foreach (array('wp_die_handler', 'wp_die_ajax_handler', 'wp_die_json_handler', 'wp_die_xml_handler') as $urumi_filter) {
	add_filter($urumi_filter, $urumi_die, PHP_INT_MAX);
}
add_filter('pre_wp_mail', '__return_false', PHP_INT_MAX);
add_filter('pre_http_request', static fn() => new WP_Error('urumi_offline', 'set-up makes no requests'), PHP_INT_MAX);
// Its database updates are a step of set-up; else it leaves them to cron.
add_filter('woocommerce_enable_auto_update_db', '__return_false', PHP_INT_MAX);
add_filter('filesystem_method', static fn() => 'direct', PHP_INT_MAX);
$urumi_only = static fn() => $GLOBALS['urumi_plugins'];
add_filter('option_active_plugins', $urumi_only, PHP_INT_MAX);
$urumi_theme = static fn() => basename((glob('/usr/src/wordpress/wp-content/themes/twenty*') ?: array(''))[0]);
add_filter('pre_option_template', $urumi_theme, PHP_INT_MAX);
add_filter('pre_option_stylesheet', $urumi_theme, PHP_INT_MAX);
add_action('plugins_loaded', static fn() => remove_action('init', 'wp_cron'), PHP_INT_MAX);
require ABSPATH . 'wp-load.php';
