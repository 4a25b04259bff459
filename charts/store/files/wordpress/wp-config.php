<?php
/**
 * WordPress' configuration, mounted into the image: settings from /etc/urumi/settings.json, secrets
 * from files, so that a rotated password is followed without a restart.
 */
$urumi_config_settings = json_decode((string) file_get_contents('/etc/urumi/settings.json'), true);

define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', trim((string) file_get_contents('/run/secrets/store/database-password'), "\r\n"));
define('DB_HOST', 'mysql');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
$table_prefix = 'wp_';

// Eight keys from one secret.
$urumi_config_salt = trim((string) file_get_contents('/run/secrets/store/wordpress-salt'), "\r\n");
foreach (array('AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE') as $urumi_config_name) {
	define($urumi_config_name . '_KEY', hash_hmac('sha256', $urumi_config_name . '_KEY', $urumi_config_salt));
	define($urumi_config_name . '_SALT', hash_hmac('sha256', $urumi_config_name . '_SALT', $urumi_config_salt));
}

// TLS ends at the ingress. Without this an https site loops at log-in and mixes content. Only the
// ingress can reach this server, so its header is to be believed; the command line has none.
$urumi_config_scheme = $_SERVER['HTTP_X_FORWARDED_PROTO'] ?? parse_url($urumi_config_settings['url'], PHP_URL_SCHEME);
if ('https' === $urumi_config_scheme) {
	$_SERVER['HTTPS'] = 'on';
} elseif ('https' === parse_url($urumi_config_settings['url'], PHP_URL_SCHEME)) {
	// Passwords and addresses go over TLS or not at all.
	$urumi_config_status = in_array($_SERVER['REQUEST_METHOD'] ?? 'GET', array('GET', 'HEAD'), true) ? 301 : 308;
	header('Location: ' . $urumi_config_settings['url'] . ($_SERVER['REQUEST_URI'] ?? '/'), true, $urumi_config_status);
	exit;
}

define('WP_HOME', $urumi_config_settings['url']);
define('WP_SITEURL', $urumi_config_settings['url']);
// A docroot that cannot be written would ask for FTP, and checkout would answer 500.
define('FS_METHOD', 'direct');
// The CronJob wp-cron does it; requests stay fast.
define('DISABLE_WP_CRON', true);
// WordPress itself is the image's; a new image is the upgrade.
define('WP_AUTO_UPDATE_CORE', false);
define('DISALLOW_FILE_EDIT', true);
define('WP_DEBUG', false);
unset($urumi_config_settings, $urumi_config_salt, $urumi_config_name, $urumi_config_scheme);

if (!defined('ABSPATH')) {
	define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
