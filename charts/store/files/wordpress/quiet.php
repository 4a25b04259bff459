<?php
/**
 * What WordPress is told before it is loaded for set-up: none of its owner's plugins and theme (a
 * broken one must not stop set-up), no mail, no outgoing request, no cron. Sets $urumi_only, the
 * filter that leaves nothing but $urumi_plugins active.
 */
define('ABSPATH', '/usr/src/wordpress/');
define('WP_DISABLE_FATAL_ERROR_HANDLER', true); // and the owner's own one with it
define('WPMU_PLUGIN_DIR', '/nonexistent');
require ABSPATH . 'wp-includes/plugin.php';
add_filter('enable_loading_object_cache_dropin', '__return_false', PHP_INT_MAX);
add_filter('enable_loading_advanced_cache_dropin', '__return_false', PHP_INT_MAX);
add_filter('pre_wp_mail', '__return_false', PHP_INT_MAX);
add_filter('pre_http_request', static fn() => new WP_Error('urumi_offline', 'set-up makes no requests'), PHP_INT_MAX);
// Its database updates are a step of set-up; else it leaves them to cron.
add_filter('woocommerce_enable_auto_update_db', '__return_false', PHP_INT_MAX);
add_filter('filesystem_method', static fn() => 'direct', PHP_INT_MAX);
// The one picture that set-up makes is WooCommerce's placeholder: in the sizes that shops show.
$urumi_sizes = static fn($sizes) => array_filter($sizes, static fn($name) => str_starts_with($name, 'woocommerce_'), ARRAY_FILTER_USE_KEY);
add_filter('intermediate_image_sizes_advanced', $urumi_sizes, PHP_INT_MAX);
// WooCommerce looks for a page of its own by the content, of which WordPress keeps less where nobody is
// logged in: after a kill it would make the page again, as cart-2.
$urumi_page = static fn($found, $slug) => $found ?: $GLOBALS['wpdb']->get_var($GLOBALS['wpdb']->prepare('SELECT ID FROM ' . $GLOBALS['wpdb']->posts . " WHERE post_type = 'page' AND post_status IN ('publish', 'draft') AND post_name = %s LIMIT 1", $slug));
add_filter('woocommerce_create_page_id', $urumi_page, PHP_INT_MAX, 2);
$urumi_only = static fn() => $GLOBALS['urumi_plugins'];
add_filter('option_active_plugins', $urumi_only, PHP_INT_MAX);
// The image's theme, of which prepare.sh left a copy: what bears its name on the volume is the owner's.
$wp_theme_directories = array('/tmp/urumi-themes', '/etc/urumi');
$urumi_theme = basename((glob('/tmp/urumi-themes/*') ?: array(''))[0]);
foreach (array('template', 'stylesheet') as $urumi_option) {
	add_filter("pre_option_$urumi_option", static fn() => $urumi_theme, PHP_INT_MAX);
	add_filter("pre_option_{$urumi_option}_root", static fn() => '/tmp/urumi-themes', PHP_INT_MAX);
}
// wpdb connects again and goes on in silence, outside of the transaction that was lost: it shall stop.
add_action('muplugins_loaded', static fn() => (fn() => $this->reconnect_retries = 0)->call($GLOBALS['wpdb']), PHP_INT_MIN);
add_action('plugins_loaded', static fn() => remove_action('init', 'wp_cron'), PHP_INT_MAX);
// The rules of this process lack those of the owner's plugins: the first visitor makes the ones kept.
add_filter('pre_update_option_rewrite_rules', static fn($new, $old) => $old, PHP_INT_MAX, 2);
