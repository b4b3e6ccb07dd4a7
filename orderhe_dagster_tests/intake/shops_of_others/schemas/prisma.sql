-- A shop written with Prisma: names in mixed case, `Order` among them, amounts of thirty places, statuses as enum.
create table `User` (
    id int not null auto_increment,
    email varchar(191) not null,
    name varchar(191) null,
    createdAt datetime(3) not null default current_timestamp(3),
    primary key (id),
    unique key User_email_key (email)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table `Product` (
    id int not null auto_increment,
    title varchar(191) not null,
    price decimal(65,30) not null,
    category enum('KITCHEN','PAPER','LIVING','GARDEN') not null,
    primary key (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table `Order` (
    id varchar(191) not null,
    userId int null,
    status enum('PENDING','PAID','SHIPPED','DELIVERED','CANCELLED','REFUNDED') not null default 'PENDING',
    totalAmount decimal(65,30) not null,
    currency varchar(191) not null default 'KRW',
    createdAt datetime(3) not null default current_timestamp(3),
    updatedAt datetime(3) not null,
    primary key (id),
    key Order_userId_fkey (userId),
    constraint Order_userId_fkey foreign key (userId) references `User` (id) on delete set null on update cascade
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table `OrderItem` (
    id int not null auto_increment,
    orderId varchar(191) not null,
    productId int not null,
    quantity int not null default 1,
    unitPrice decimal(65,30) not null,
    primary key (id),
    constraint OrderItem_orderId_fkey foreign key (orderId) references `Order` (id) on update cascade,
    constraint OrderItem_productId_fkey foreign key (productId) references `Product` (id) on update cascade
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;

create table `_prisma_migrations` (
    id varchar(36) not null,
    checksum varchar(64) not null,
    finished_at datetime(3) null,
    migration_name varchar(255) not null,
    logs text null,
    rolled_back_at datetime(3) null,
    started_at datetime(3) not null default current_timestamp(3),
    applied_steps_count int unsigned not null default 0,
    primary key (id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_unicode_ci;
