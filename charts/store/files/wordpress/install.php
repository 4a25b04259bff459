<?php
/**
 * Step `install`: the tables, the first user, permalinks; and WordPress' own database upgrade. Sure
 * to end whole: a run that was killed left the marker `begun`, and then its content goes and it is
 * installed again. Only an empty database gets that marker: what has content is never made new. A
 * site that somebody brought here (a restored backup of another place) is adopted as it is.
 */
require __DIR__ . '/lib.php';

/** Whether somebody's texts or accounts are there. */
function has_content(mysqli $db): bool {
	foreach (array('posts', 'users') as $table) {
		if (null !== first_value($db, 'SELECT 1 FROM ' . PREFIX . "$table LIMIT 1")) {
			return true;
		}
	}
	return false;
}

$urumi_settings = settings();
$urumi_db = connect(5);
lock($urumi_db, 'install', 10);
$urumi_marker = option($urumi_db, 'urumi_install');
$urumi_site = option($urumi_db, 'siteurl');
$urumi_begun = 'begun' === $urumi_marker;
$urumi_living = !$urumi_begun && (null !== $urumi_marker || has_content($urumi_db));
$urumi_new = $urumi_begun || (null === $urumi_site && !$urumi_living);
if ($urumi_begun && null !== option($urumi_db, 'urumi_ready')) {
	fail(FAILED, 'the database says that the shop is ready and that its installation never ended; nothing was changed. Restore it from a backup');
}
if (null === $urumi_site && $urumi_living && null === option($urumi_db, 'db_version')) {
	fail(FAILED, 'the database has content and has lost its options; nothing was changed. Restore it from a backup');
}
$urumi_user = secret('admin/admin-username');
$urumi_password = secret('admin/admin-password');
$urumi_plugins = array();

define('WP_INSTALLING', true);
if (null === $urumi_site && null !== first_value($urumi_db, "SHOW TABLES LIKE '" . PREFIX . "%'")) {
	define('WP_REPAIRING', true); // some tables, and no address: WordPress would refuse to start
}
if ($urumi_begun) {
	$urumi_content = array('posts', 'postmeta', 'terms', 'term_taxonomy', 'term_relationships', 'termmeta', 'comments', 'commentmeta', 'links', 'users', 'usermeta');
	foreach ($urumi_content as $urumi_table) {
		$urumi_db->query('TRUNCATE TABLE ' . PREFIX . $urumi_table); // one that is missing will be made
	}
}
$urumi_did = array();
if (null === $urumi_site && $urumi_living) {
	set_option($urumi_db, 'home', $urumi_settings['url']);
	set_option($urumi_db, 'siteurl', $urumi_settings['url']);
	$urumi_did[] = 'address repaired';
}
require __DIR__ . '/boot.php';

if ($urumi_new) {
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	add_action('populate_options', static fn() => set_option($GLOBALS['urumi_db'], 'urumi_install', 'begun'));
	// Else wp_install() calls the site itself to try permalinks, twice five seconds.
	$urumi_pretty = static fn() => '/%postname%/';
	add_filter('pre_option_permalink_structure', $urumi_pretty);
	$urumi_result = wp_install($urumi_settings['title'], $urumi_user, $urumi_settings['adminEmail'], true, '', $urumi_password);
	if (is_wp_error($urumi_result)) {
		fail(FAILED, 'installing WordPress failed: ' . $urumi_result->get_error_message());
	}
	remove_filter('pre_option_permalink_structure', $urumi_pretty);
	update_option('permalink_structure', '/%postname%/');
	update_option('home', $urumi_settings['url']);
	update_option('siteurl', $urumi_settings['url']);
	$urumi_did[] = 'installed';
}
$urumi_version = (string) get_option('db_version');
if ($urumi_version !== (string) $wp_db_version) {
	require_once ABSPATH . 'wp-admin/includes/upgrade.php'; // and the owner's drop-in install.php with it
	wp_upgrade();
	$urumi_did[] = (int) $urumi_version > $wp_db_version ? 'database taken back to an older WordPress' : 'database upgraded';
}
// Not flushed here: the process that sets permalinks would lose a plugin's endpoints.
if ($urumi_did) {
	delete_option('rewrite_rules');
}
// A killed activation leaves this for ten minutes, in which a retry installs nothing. While
// WP_INSTALLING is set, delete_transient() touches only the object cache.
delete_option('_transient_wc_installing');
delete_option('_transient_timeout_wc_installing');
if (null === option($urumi_db, 'urumi_engine')) {
	set_option($urumi_db, 'urumi_engine', $urumi_settings['engine']); // chosen once
}
if ($urumi_living && null === $urumi_marker && ('wordpress' === $urumi_settings['engine'] || null !== option($urumi_db, 'woocommerce_version'))) {
	set_option($urumi_db, 'urumi_install', 'adopted');
	$urumi_did[] = 'site adopted as it is';
} elseif ('adopted' !== $urumi_marker) {
	set_option($urumi_db, 'urumi_install', 'done');
}
report(array('wordpress' => $wp_version, 'did' => $urumi_did));
$urumi_done = true;
exit(0);
