-- Shopware 6: keys of sixteen bytes, versions of a row, amounts generated from JSON, an order's table called `order`.
create table migration (
    class varchar(255) not null,
    creation_timestamp int(8) not null,
    `update` timestamp(6) null default null,
    update_destructive timestamp(6) null default null,
    message text,
    primary key (class)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table system_config (
    id binary(16) not null,
    configuration_key varchar(255) not null,
    configuration_value json not null,
    sales_channel_id binary(16) default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id),
    unique key `uniq.system_config.configuration_key__sales_channel_id` (configuration_key, sales_channel_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table language (
    id binary(16) not null,
    parent_id binary(16) default null,
    locale_id binary(16) not null,
    name varchar(50) not null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table currency (
    id binary(16) not null,
    iso_code char(3) not null,
    factor double not null,
    symbol varchar(255) not null,
    position int(11) not null default '1',
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table state_machine (
    id binary(16) not null,
    technical_name varchar(255) not null,
    initial_state_id binary(16) default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id),
    unique key `uniq.state_machine.technical_name` (technical_name)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table state_machine_state (
    id binary(16) not null,
    technical_name varchar(255) not null,
    state_machine_id binary(16) not null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id),
    unique key `uniq.technical_name_state_machine` (technical_name, state_machine_id),
    constraint `fk.state_machine_state.state_machine_id` foreign key (state_machine_id) references state_machine (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table state_machine_state_translation (
    language_id binary(16) not null,
    state_machine_state_id binary(16) not null,
    name varchar(255) default null,
    custom_fields json default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (language_id, state_machine_state_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table customer (
    id binary(16) not null,
    auto_increment bigint(20) unsigned not null auto_increment,
    customer_group_id binary(16) not null,
    sales_channel_id binary(16) not null,
    language_id binary(16) not null,
    customer_number varchar(255) not null,
    first_name varchar(255) not null,
    last_name varchar(255) not null,
    company varchar(255) default null,
    password varchar(1024) default null,
    email varchar(254) not null,
    title varchar(100) default null,
    active tinyint(1) unsigned not null default '1',
    guest tinyint(1) unsigned not null default '0',
    first_login datetime(3) default null,
    last_login datetime(3) default null,
    birthday date default null,
    last_order_date datetime(3) default null,
    order_count int(5) unsigned not null default '0',
    order_total_amount double default '0',
    custom_fields json default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id),
    unique key `uniq.auto_increment` (auto_increment),
    key `idx.email` (email),
    key `idx.firstlogin` (first_login)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table category (
    id binary(16) not null,
    version_id binary(16) not null,
    auto_increment bigint(20) unsigned not null auto_increment,
    parent_id binary(16) default null,
    parent_version_id binary(16) default null,
    path longtext,
    level int(11) unsigned not null default '1',
    active tinyint(1) not null default '1',
    type varchar(32) not null default 'page',
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id, version_id),
    unique key `uniq.category.auto_increment` (auto_increment)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table category_translation (
    category_id binary(16) not null,
    category_version_id binary(16) not null,
    language_id binary(16) not null,
    name varchar(255) default null,
    breadcrumb json default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (category_id, category_version_id, language_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table product (
    id binary(16) not null,
    version_id binary(16) not null,
    auto_increment int(11) not null auto_increment,
    product_number varchar(64) default null,
    active tinyint(1) unsigned default null,
    parent_id binary(16) default null,
    parent_version_id binary(16) default null,
    tax_id binary(16) default null,
    price json default null,
    category_tree json default null,
    stock int(11) default null,
    available_stock int(11) default null,
    sales int(11) not null default '0',
    ean varchar(255) default null,
    release_date datetime(3) default null,
    custom_fields json default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id, version_id),
    unique key auto_increment (auto_increment),
    unique key `uniq.product.product_number__version_id` (product_number, version_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table product_translation (
    product_id binary(16) not null,
    product_version_id binary(16) not null,
    language_id binary(16) not null,
    name varchar(255) default null,
    description mediumtext,
    keywords mediumtext,
    custom_fields json default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (product_id, product_version_id, language_id),
    constraint `fk.product_translation.product_id` foreign key (product_id, product_version_id)
        references product (id, version_id) on delete cascade on update cascade
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table product_category (
    product_id binary(16) not null,
    product_version_id binary(16) not null,
    category_id binary(16) not null,
    category_version_id binary(16) not null,
    primary key (product_id, product_version_id, category_id, category_version_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table `order` (
    id binary(16) not null,
    version_id binary(16) not null,
    auto_increment bigint(20) unsigned not null auto_increment,
    order_number varchar(64) default null,
    state_id binary(16) not null,
    currency_id binary(16) not null,
    language_id binary(16) not null,
    currency_factor double default null,
    sales_channel_id binary(16) not null,
    billing_address_id binary(16) not null,
    billing_address_version_id binary(16) not null,
    price json not null,
    order_date_time datetime(3) not null,
    order_date date generated always as (cast(order_date_time as date)) stored,
    amount_total double generated always as (json_unquote(json_extract(price, '$.totalPrice'))) virtual,
    amount_net double generated always as (json_unquote(json_extract(price, '$.netPrice'))) virtual,
    position_price double generated always as (json_unquote(json_extract(price, '$.positionPrice'))) virtual,
    tax_status varchar(255) generated always as (json_unquote(json_extract(price, '$.taxStatus'))) virtual,
    shipping_costs json not null,
    shipping_total double generated always as (json_unquote(json_extract(shipping_costs, '$.totalPrice'))) virtual,
    deep_link_code varchar(32) default null,
    affiliate_code varchar(255) default null,
    campaign_code varchar(255) default null,
    customer_comment longtext,
    custom_fields json default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id, version_id),
    unique key `uniq.auto_increment` (auto_increment),
    unique key `uniq.deep_link_code` (deep_link_code, version_id),
    key `idx.state_index` (state_id),
    key `idx.order_date_currency_id` (order_date, currency_id),
    constraint `fk.order.state_id` foreign key (state_id) references state_machine_state (id),
    constraint `fk.order.currency_id` foreign key (currency_id) references currency (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table order_address (
    id binary(16) not null,
    version_id binary(16) not null,
    order_id binary(16) not null,
    order_version_id binary(16) not null,
    first_name varchar(255) not null,
    last_name varchar(255) not null,
    street varchar(255) not null,
    zipcode varchar(50) default null,
    city varchar(70) not null,
    phone_number varchar(255) default null,
    custom_fields json default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id, version_id),
    constraint `fk.order_address.order_id` foreign key (order_id, order_version_id)
        references `order` (id, version_id) on delete cascade on update cascade
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table order_customer (
    id binary(16) not null,
    version_id binary(16) not null,
    customer_id binary(16) default null,
    order_id binary(16) not null,
    order_version_id binary(16) not null,
    email varchar(254) not null,
    first_name varchar(255) not null,
    last_name varchar(255) not null,
    customer_number varchar(255) default null,
    remote_address varchar(255) default null,
    custom_fields json default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id, version_id),
    unique key `uniq.order_customer.order_id` (order_id, order_version_id),
    constraint `fk.order_customer.customer_id` foreign key (customer_id) references customer (id) on delete set null,
    constraint `fk.order_customer.order_id` foreign key (order_id, order_version_id)
        references `order` (id, version_id) on delete cascade on update cascade
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table order_line_item (
    id binary(16) not null,
    version_id binary(16) not null,
    order_id binary(16) not null,
    order_version_id binary(16) not null,
    parent_id binary(16) default null,
    parent_version_id binary(16) default null,
    identifier varchar(255) not null,
    referenced_id varchar(255) default null,
    product_id binary(16) default null,
    product_version_id binary(16) default null,
    label varchar(255) not null,
    description mediumtext,
    quantity int(11) not null,
    unit_price double generated always as (json_unquote(json_extract(price, '$.unitPrice'))) virtual,
    total_price double generated always as (json_unquote(json_extract(price, '$.totalPrice'))) virtual,
    type varchar(255) default null,
    payload json default null,
    price_definition json default null,
    price json not null,
    stackable tinyint(1) not null default '1',
    removable tinyint(1) not null default '1',
    good tinyint(1) not null default '1',
    position int(11) not null default '1',
    custom_fields json default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id, version_id),
    constraint `fk.order_line_item.order_id` foreign key (order_id, order_version_id)
        references `order` (id, version_id) on delete cascade on update cascade,
    constraint `fk.order_line_item.parent_id` foreign key (parent_id, parent_version_id)
        references order_line_item (id, version_id) on delete cascade on update cascade
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table order_transaction (
    id binary(16) not null,
    version_id binary(16) not null,
    order_id binary(16) not null,
    order_version_id binary(16) not null,
    state_id binary(16) not null,
    payment_method_id binary(16) not null,
    amount json not null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id, version_id),
    constraint `fk.order_transaction.order_id` foreign key (order_id, order_version_id)
        references `order` (id, version_id) on delete cascade on update cascade
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table state_machine_history (
    id binary(16) not null,
    state_machine_id binary(16) not null,
    entity_name varchar(100) not null,
    entity_id json default null,
    from_state_id binary(16) not null,
    to_state_id binary(16) not null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table cart (
    token varchar(50) not null,
    payload longblob,
    compressed tinyint(1) not null default '0',
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (token),
    key `idx.cart.created_at` (created_at)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table log_entry (
    id binary(16) not null,
    message varchar(255) not null,
    level smallint(6) not null,
    channel varchar(255) not null,
    context json default null,
    extra json default null,
    created_at datetime(3) not null,
    updated_at datetime(3) default null,
    primary key (id),
    key `idx.log_entry.created_at` (created_at)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;
