-- A shop written with Laravel: `timestamps()` that may be null, `softDeletes()`, keys of bigint, text statuses.
create table migrations (
    id int unsigned not null auto_increment,
    migration varchar(255) not null,
    batch int not null,
    primary key (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table users (
    id bigint unsigned not null auto_increment,
    name varchar(255) not null,
    email varchar(255) not null,
    email_verified_at timestamp null default null,
    password varchar(255) not null,
    remember_token varchar(100) default null,
    marketing_consent tinyint(1) not null default '0',
    created_at timestamp null default null,
    updated_at timestamp null default null,
    deleted_at timestamp null default null,
    primary key (id),
    unique key users_email_unique (email)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table password_reset_tokens (
    email varchar(255) not null,
    token varchar(255) not null,
    created_at timestamp null default null,
    primary key (email)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table sessions (
    id varchar(255) not null,
    user_id bigint unsigned default null,
    ip_address varchar(45) default null,
    user_agent text,
    payload longtext not null,
    last_activity int not null,
    primary key (id),
    key sessions_user_id_index (user_id),
    key sessions_last_activity_index (last_activity)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table cache (
    `key` varchar(255) not null,
    value mediumtext not null,
    expiration int not null,
    primary key (`key`)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table jobs (
    id bigint unsigned not null auto_increment,
    queue varchar(255) not null,
    payload longtext not null,
    attempts tinyint unsigned not null,
    reserved_at int unsigned default null,
    available_at int unsigned not null,
    created_at int unsigned not null,
    primary key (id),
    key jobs_queue_index (queue)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table failed_jobs (
    id bigint unsigned not null auto_increment,
    uuid varchar(255) not null,
    connection text not null,
    queue text not null,
    payload longtext not null,
    exception longtext not null,
    failed_at timestamp not null default current_timestamp,
    primary key (id),
    unique key failed_jobs_uuid_unique (uuid)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table categories (
    id bigint unsigned not null auto_increment,
    parent_id bigint unsigned default null,
    name varchar(255) not null,
    slug varchar(255) not null,
    created_at timestamp null default null,
    updated_at timestamp null default null,
    primary key (id),
    unique key categories_slug_unique (slug),
    key categories_parent_id_foreign (parent_id),
    constraint categories_parent_id_foreign foreign key (parent_id) references categories (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table products (
    id bigint unsigned not null auto_increment,
    category_id bigint unsigned not null,
    name varchar(255) not null,
    slug varchar(255) not null,
    sku varchar(64) not null,
    description text,
    price decimal(10,2) not null,
    stock int not null default '0',
    attributes json default null,
    is_active tinyint(1) not null default '1',
    published_at timestamp null default null,
    created_at timestamp null default null,
    updated_at timestamp null default null,
    deleted_at timestamp null default null,
    primary key (id),
    unique key products_sku_unique (sku),
    key products_category_id_foreign (category_id),
    constraint products_category_id_foreign foreign key (category_id) references categories (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table coupons (
    id bigint unsigned not null auto_increment,
    code varchar(64) not null,
    percent decimal(5,2) not null,
    starts_at timestamp null default null,
    ends_at timestamp null default null,
    created_at timestamp null default null,
    updated_at timestamp null default null,
    primary key (id),
    unique key coupons_code_unique (code)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table orders (
    id bigint unsigned not null auto_increment,
    number varchar(32) not null,
    user_id bigint unsigned default null,
    email varchar(255) not null,
    coupon_id bigint unsigned default null,
    status varchar(255) not null default 'pending',
    currency char(3) not null default 'KRW',
    subtotal decimal(12,2) not null default '0.00',
    discount decimal(12,2) not null default '0.00',
    shipping decimal(12,2) not null default '0.00',
    tax decimal(12,2) not null default '0.00',
    total decimal(12,2) not null default '0.00',
    shipping_address json default null,
    note text,
    paid_at timestamp null default null,
    shipped_at timestamp null default null,
    cancelled_at timestamp null default null,
    created_at timestamp null default null,
    updated_at timestamp null default null,
    deleted_at timestamp null default null,
    primary key (id),
    unique key orders_number_unique (number),
    key orders_user_id_foreign (user_id),
    key orders_coupon_id_foreign (coupon_id),
    constraint orders_user_id_foreign foreign key (user_id) references users (id) on delete set null,
    constraint orders_coupon_id_foreign foreign key (coupon_id) references coupons (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table order_items (
    id bigint unsigned not null auto_increment,
    order_id bigint unsigned not null,
    product_id bigint unsigned not null,
    name varchar(255) not null,
    quantity int unsigned not null default '1',
    unit_price decimal(10,2) not null,
    total decimal(12,2) not null,
    options json default null,
    primary key (id),
    key order_items_order_id_foreign (order_id),
    key order_items_product_id_foreign (product_id),
    constraint order_items_order_id_foreign foreign key (order_id) references orders (id) on delete cascade,
    constraint order_items_product_id_foreign foreign key (product_id) references products (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table payments (
    id bigint unsigned not null auto_increment,
    order_id bigint unsigned not null,
    provider varchar(64) not null,
    provider_id varchar(128) default null,
    amount decimal(12,2) not null,
    status varchar(32) not null,
    response json default null,
    created_at timestamp null default null,
    updated_at timestamp null default null,
    primary key (id),
    key payments_order_id_foreign (order_id),
    constraint payments_order_id_foreign foreign key (order_id) references orders (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table reviews (
    id bigint unsigned not null auto_increment,
    product_id bigint unsigned not null,
    user_id bigint unsigned default null,
    rating tinyint unsigned not null,
    body text,
    created_at timestamp null default null,
    updated_at timestamp null default null,
    primary key (id),
    constraint reviews_product_id_foreign foreign key (product_id) references products (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;
