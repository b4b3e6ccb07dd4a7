-- WooCommerce on WordPress, orders in tables of their own (HPOS): refunds are rows of the orders' table, drafts too.
create table wp_options (
    option_id bigint(20) unsigned not null auto_increment,
    option_name varchar(191) not null default '',
    option_value longtext not null,
    autoload varchar(20) not null default 'yes',
    primary key (option_id),
    unique key option_name (option_name),
    key autoload (autoload)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_users (
    ID bigint(20) unsigned not null auto_increment,
    user_login varchar(60) not null default '',
    user_pass varchar(255) not null default '',
    user_nicename varchar(50) not null default '',
    user_email varchar(100) not null default '',
    user_url varchar(100) not null default '',
    user_registered datetime not null default '0000-00-00 00:00:00',
    user_activation_key varchar(255) not null default '',
    user_status int(11) not null default '0',
    display_name varchar(250) not null default '',
    primary key (ID),
    key user_login_key (user_login),
    key user_nicename (user_nicename),
    key user_email (user_email)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_usermeta (
    umeta_id bigint(20) unsigned not null auto_increment,
    user_id bigint(20) unsigned not null default '0',
    meta_key varchar(255) default null,
    meta_value longtext,
    primary key (umeta_id),
    key user_id (user_id),
    key meta_key (meta_key(191))
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_posts (
    ID bigint(20) unsigned not null auto_increment,
    post_author bigint(20) unsigned not null default '0',
    post_date datetime not null default '0000-00-00 00:00:00',
    post_date_gmt datetime not null default '0000-00-00 00:00:00',
    post_content longtext not null,
    post_title text not null,
    post_excerpt text not null,
    post_status varchar(20) not null default 'publish',
    comment_status varchar(20) not null default 'open',
    ping_status varchar(20) not null default 'open',
    post_password varchar(255) not null default '',
    post_name varchar(200) not null default '',
    to_ping text not null,
    pinged text not null,
    post_modified datetime not null default '0000-00-00 00:00:00',
    post_modified_gmt datetime not null default '0000-00-00 00:00:00',
    post_content_filtered longtext not null,
    post_parent bigint(20) unsigned not null default '0',
    guid varchar(255) not null default '',
    menu_order int(11) not null default '0',
    post_type varchar(20) not null default 'post',
    post_mime_type varchar(100) not null default '',
    comment_count bigint(20) not null default '0',
    primary key (ID),
    key post_name (post_name(191)),
    key type_status_date (post_type, post_status, post_date, ID),
    key post_parent (post_parent),
    key post_author (post_author)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_postmeta (
    meta_id bigint(20) unsigned not null auto_increment,
    post_id bigint(20) unsigned not null default '0',
    meta_key varchar(255) default null,
    meta_value longtext,
    primary key (meta_id),
    key post_id (post_id),
    key meta_key (meta_key(191))
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_comments (
    comment_ID bigint(20) unsigned not null auto_increment,
    comment_post_ID bigint(20) unsigned not null default '0',
    comment_author tinytext not null,
    comment_author_email varchar(100) not null default '',
    comment_date datetime not null default '0000-00-00 00:00:00',
    comment_date_gmt datetime not null default '0000-00-00 00:00:00',
    comment_content text not null,
    comment_approved varchar(20) not null default '1',
    comment_type varchar(20) not null default 'comment',
    primary key (comment_ID),
    key comment_post_ID (comment_post_ID),
    key comment_date_gmt (comment_date_gmt)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_terms (
    term_id bigint(20) unsigned not null auto_increment,
    name varchar(200) not null default '',
    slug varchar(200) not null default '',
    term_group bigint(10) not null default '0',
    primary key (term_id),
    key slug (slug(191)),
    key name (name(191))
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_term_taxonomy (
    term_taxonomy_id bigint(20) unsigned not null auto_increment,
    term_id bigint(20) unsigned not null default '0',
    taxonomy varchar(32) not null default '',
    description longtext not null,
    parent bigint(20) unsigned not null default '0',
    count bigint(20) not null default '0',
    primary key (term_taxonomy_id),
    unique key term_id_taxonomy (term_id, taxonomy),
    key taxonomy (taxonomy)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_term_relationships (
    object_id bigint(20) unsigned not null default '0',
    term_taxonomy_id bigint(20) unsigned not null default '0',
    term_order int(11) not null default '0',
    primary key (object_id, term_taxonomy_id),
    key term_taxonomy_id (term_taxonomy_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_wc_orders (
    id bigint(20) unsigned not null,
    status varchar(20) default null,
    currency varchar(10) default null,
    type varchar(20) default null,
    tax_amount decimal(26,8) default null,
    total_amount decimal(26,8) default null,
    customer_id bigint(20) unsigned default null,
    billing_email varchar(320) default null,
    date_created_gmt datetime default null,
    date_updated_gmt datetime default null,
    parent_order_id bigint(20) unsigned default null,
    payment_method varchar(100) default null,
    payment_method_title text,
    transaction_id varchar(100) default null,
    ip_address varchar(100) default null,
    user_agent text,
    customer_note text,
    primary key (id),
    key status (status),
    key date_created (date_created_gmt),
    key customer_id_billing_email (customer_id, billing_email(171)),
    key billing_email (billing_email(191)),
    key type_status_date (type, status, date_created_gmt),
    key parent_order_id (parent_order_id),
    key date_updated (date_updated_gmt)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_wc_order_addresses (
    id bigint(20) unsigned not null auto_increment,
    order_id bigint(20) unsigned not null,
    address_type varchar(20) default null,
    first_name text,
    last_name text,
    company text,
    address_1 text,
    address_2 text,
    city text,
    state text,
    postcode text,
    country text,
    email varchar(320) default null,
    phone varchar(100) default null,
    primary key (id),
    key order_id (order_id),
    unique key address_type_order_id (address_type, order_id),
    key email (email(191)),
    key phone (phone)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_wc_order_operational_data (
    id bigint(20) unsigned not null auto_increment,
    order_id bigint(20) unsigned default null,
    created_via varchar(100) default null,
    woocommerce_version varchar(20) default null,
    prices_include_tax tinyint(1) default null,
    cart_hash varchar(100) default null,
    order_key varchar(100) default null,
    order_stock_reduced tinyint(1) default null,
    date_paid_gmt datetime default null,
    date_completed_gmt datetime default null,
    shipping_tax_amount decimal(26,8) default null,
    shipping_total_amount decimal(26,8) default null,
    discount_tax_amount decimal(26,8) default null,
    discount_total_amount decimal(26,8) default null,
    recorded_sales tinyint(1) default null,
    primary key (id),
    unique key order_id (order_id),
    key order_key (order_key)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_wc_orders_meta (
    id bigint(20) unsigned not null auto_increment,
    order_id bigint(20) unsigned default null,
    meta_key varchar(255) default null,
    meta_value text,
    primary key (id),
    key meta_key_value (meta_key(100), meta_value(82)),
    key order_id_meta_key_meta_value (order_id, meta_key(100), meta_value(82))
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_woocommerce_order_items (
    order_item_id bigint(20) unsigned not null auto_increment,
    order_item_name text not null,
    order_item_type varchar(200) not null default '',
    order_id bigint(20) unsigned not null,
    primary key (order_item_id),
    key order_id (order_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_woocommerce_order_itemmeta (
    meta_id bigint(20) unsigned not null auto_increment,
    order_item_id bigint(20) unsigned not null,
    meta_key varchar(255) default null,
    meta_value longtext,
    primary key (meta_id),
    key order_item_id (order_item_id),
    key meta_key (meta_key(32))
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_wc_order_stats (
    order_id bigint(20) unsigned not null,
    parent_id bigint(20) unsigned not null default '0',
    date_created datetime not null default '0000-00-00 00:00:00',
    date_created_gmt datetime not null default '0000-00-00 00:00:00',
    date_paid datetime default '0000-00-00 00:00:00',
    date_completed datetime default '0000-00-00 00:00:00',
    num_items_sold int(11) not null default '0',
    total_sales double not null default '0',
    tax_total double not null default '0',
    shipping_total double not null default '0',
    net_total double not null default '0',
    returning_customer tinyint(1) default null,
    status varchar(20) not null,
    customer_id bigint(20) unsigned not null,
    primary key (order_id),
    key date_created (date_created),
    key customer_id (customer_id),
    key status (status)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_wc_order_product_lookup (
    order_item_id bigint(20) unsigned not null,
    order_id bigint(20) unsigned not null,
    product_id bigint(20) unsigned not null,
    variation_id bigint(20) unsigned not null,
    customer_id bigint(20) unsigned default null,
    date_created datetime not null default '0000-00-00 00:00:00',
    product_qty int(11) not null,
    product_net_revenue double not null default '0',
    product_gross_revenue double not null default '0',
    coupon_amount double not null default '0',
    tax_amount double not null default '0',
    shipping_amount double not null default '0',
    shipping_tax_amount double not null default '0',
    primary key (order_item_id),
    key order_id (order_id),
    key product_id (product_id),
    key customer_id (customer_id),
    key date_created (date_created)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_wc_customer_lookup (
    customer_id bigint(20) unsigned not null auto_increment,
    user_id bigint(20) unsigned default null,
    username varchar(60) not null default '',
    first_name varchar(255) not null,
    last_name varchar(255) not null,
    email varchar(100) default null,
    date_last_active timestamp null default null,
    date_registered timestamp null default null,
    country char(2) not null default '',
    postcode varchar(20) not null default '',
    city varchar(100) not null default '',
    state varchar(100) not null default '',
    primary key (customer_id),
    unique key user_id (user_id),
    key email (email)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_wc_product_meta_lookup (
    product_id bigint(20) not null,
    sku varchar(100) default '',
    virtual tinyint(1) default '0',
    downloadable tinyint(1) default '0',
    min_price decimal(19,4) default null,
    max_price decimal(19,4) default null,
    onsale tinyint(1) default '0',
    stock_quantity double default null,
    stock_status varchar(100) default 'instock',
    rating_count bigint(20) default '0',
    average_rating decimal(3,2) default '0.00',
    total_sales bigint(20) default '0',
    tax_status varchar(100) default 'taxable',
    tax_class varchar(100) default '',
    primary key (product_id),
    key stock_status (stock_status),
    key stock_quantity (stock_quantity)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_woocommerce_sessions (
    session_id bigint(20) unsigned not null auto_increment,
    session_key char(32) not null,
    session_value longtext not null,
    session_expiry bigint(20) unsigned not null,
    primary key (session_id),
    unique key session_key (session_key)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_actionscheduler_actions (
    action_id bigint(20) unsigned not null auto_increment,
    hook varchar(191) not null,
    status varchar(20) not null,
    scheduled_date_gmt datetime default '0000-00-00 00:00:00',
    scheduled_date_local datetime default '0000-00-00 00:00:00',
    priority tinyint(3) unsigned not null default '10',
    args varchar(191) default null,
    attempts int(11) not null default '0',
    last_attempt_gmt datetime default '0000-00-00 00:00:00',
    primary key (action_id),
    key scheduled_date_gmt (scheduled_date_gmt)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;

create table wp_woocommerce_log (
    log_id bigint(20) unsigned not null auto_increment,
    timestamp datetime not null,
    level smallint(4) not null,
    source varchar(200) not null,
    message longtext not null,
    context longtext,
    primary key (log_id),
    key level (level)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_520_ci;
