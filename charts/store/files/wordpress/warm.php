<?php
/**
 * Compiles what set-up and the shop's first pages will load, a fifth of a second at a time, from the
 * file with the number `from` on; reports the number of the `next` one. What it misses is compiled when
 * it is needed: nothing depends on it.
 */
require __DIR__ . '/lib.php';

const FOLDERS = array(
	'wp-includes', 'wp-includes/{block-supports,blocks,html-api,interactivity-api,rest-api,style-engine,widgets}', 'wp-includes/rest-api/*',
);
// Of WooCommerce; none is there where the shop is plain WordPress.
const SHOP_FOLDERS = array(
	'includes', 'includes/{abstracts,data-stores,emails,gateways,interfaces,legacy,traits,widgets}', 'includes/gateways/*',
	'packages/action-scheduler/classes', 'packages/action-scheduler/classes/*', 'patterns', 'src', 'src/{Blocks,StoreApi}',
	'src/{Blocks,StoreApi}/*', 'src/{Blocks,StoreApi}/*/*',
);

$urumi_next = (int) $_GET['from'];
$urumi_files = array();
foreach (array('/' => FOLDERS, '/wp-content/plugins/woocommerce/' => SHOP_FOLDERS) as $urumi_root => $urumi_folders) {
	foreach ($urumi_folders as $urumi_folder) {
		array_push($urumi_files, ...glob("/usr/src/wordpress$urumi_root$urumi_folder/*.php", GLOB_BRACE) ?: array());
	}
}
error_reporting(0); // a file may be written for another PHP
for ($urumi_end = microtime(true) + 0.2; isset($urumi_files[$urumi_next]) && microtime(true) < $urumi_end; ++$urumi_next) {
	try {
		opcache_compile_file($urumi_files[$urumi_next]);
	} catch (Throwable) {
		continue;
	}
}
report(array('next' => isset($urumi_files[$urumi_next]) ? $urumi_next : null));
