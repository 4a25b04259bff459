<?php
/**
 * Step `configure`, after `install`: the administrator, and the shop as it was ordered. Settings are
 * the platform's until the ready marker exists, the owner's afterwards: a later run repairs and does
 * not reset. Password and options are set again only when the platform was given others, so what the
 * owner changed in the shop stays until then.
 */
require __DIR__ . '/lib.php';
require __DIR__ . '/options.php';
$urumi_settings = settings();
$urumi_db = connect(5);
lock($urumi_db, 'configure', 10);
$urumi_user = secret('admin/admin-username');
$urumi_password = secret('admin/admin-password');
$urumi_plugins = 'woocommerce' === $urumi_settings['engine'] ? array('woocommerce/woocommerce.php') : array();
require __DIR__ . '/boot.php';

$urumi_did = array();
$urumi_applied = (string) option($urumi_db, 'urumi_admin_applied');
$urumi_same = '' !== $urumi_applied && wp_check_password($urumi_password, $urumi_applied);
$urumi_account = get_user_by('login', $urumi_user);
if (!$urumi_account) {
	$urumi_taken = email_exists($urumi_settings['adminEmail']);
	$urumi_id = wp_insert_user(
		array(
			'user_login' => $urumi_user,
			'user_pass'  => $urumi_password,
			'user_email' => $urumi_taken ? '' : $urumi_settings['adminEmail'],
			'role'       => 'administrator',
		)
	);
	if (is_wp_error($urumi_id) || !get_user_by('login', $urumi_user)) {
		fail(FAILED, 'the administrator could not be made: ' . (is_wp_error($urumi_id) ? $urumi_id->get_error_message() : 'the database did not take the account'));
	}
	$urumi_did[] = 'administrator made';
} else {
	if (!in_array('administrator', $urumi_account->roles, true)) {
		$urumi_account->set_role('administrator');
		$urumi_did[] = 'administrator repaired';
	}
	if (!$urumi_same && !wp_check_password($urumi_password, $urumi_account->user_pass, $urumi_account->ID)) {
		wp_set_password($urumi_password, $urumi_account->ID);
		$urumi_did[] = 'administrator\'s password set';
	}
}
if (!$urumi_same) {
	set_option($urumi_db, 'urumi_admin_applied', wp_hash_password($urumi_password));
}
$urumi_chosen = chosen($urumi_settings);
if ('adopted' === option($urumi_db, 'urumi_install') && null === option($urumi_db, 'urumi_ready')) {
	// Whoever brought this shop set it up: nothing is written over, and no order is placed in it.
	set_option($urumi_db, 'urumi_options', json_encode($urumi_chosen));
	set_option($urumi_db, 'urumi_ready', '1');
	$urumi_did[] = 'marked ready';
} elseif (null === option($urumi_db, 'urumi_ready')) {
	if ('woocommerce' === $urumi_settings['engine']) {
		require __DIR__ . '/shop.php';
	}
	foreach ($urumi_chosen as $urumi_name => $urumi_value) {
		choose($urumi_name, $urumi_value);
	}
	set_option($urumi_db, 'urumi_options', json_encode($urumi_chosen));
} else {
	$urumi_recorded = json_decode((string) option($urumi_db, 'urumi_options'), true);
	$urumi_before = $urumi_recorded ?? $urumi_chosen;
	foreach ($urumi_chosen as $urumi_name => $urumi_value) {
		if ($urumi_value !== ($urumi_before[$urumi_name] ?? null)) {
			choose($urumi_name, $urumi_value, $urumi_before[$urumi_name] ?? null);
			$urumi_did[] = "$urumi_name set";
		}
	}
	if ($urumi_recorded !== $urumi_chosen) {
		set_option($urumi_db, 'urumi_options', json_encode($urumi_chosen));
	}
}
report(array('did' => $urumi_did));
$urumi_done = true;
exit(0);
