-- The sample shop, as shop.toml reads it. Written for SQLite; for PostgreSQL say timestamp instead of datetime.
-- Amounts of credits are positive. ChangedAt is the shop's own clock, in texts such as 2026-11-20 10:00:00.

create table Customer (
    Code      varchar(20) not null primary key,
    Name      varchar(100) not null,
    Company   varchar(100) not null default '',
    Email     varchar(100) not null default '',
    Phone     varchar(40) not null default '',
    VatNo     varchar(20) not null default '',
    Street    varchar(100) not null default '',
    City      varchar(60) not null default '',
    Postcode  varchar(12) not null default '',
    Region    varchar(40) not null default '',
    Country   char(2) not null default '',
    Active    integer not null default 1,
    ChangedAt datetime not null
);

create table Supplier (
    Code      varchar(20) not null primary key,
    Name      varchar(100) not null,
    Company   varchar(100) not null default '',
    Email     varchar(100) not null default '',
    Phone     varchar(40) not null default '',
    VatNo     varchar(20) not null default '',
    Street    varchar(100) not null default '',
    City      varchar(60) not null default '',
    Postcode  varchar(12) not null default '',
    Region    varchar(40) not null default '',
    Country   char(2) not null default '',
    Active    integer not null default 1,
    ChangedAt datetime not null
);

create table Employee (
    Code      varchar(20) not null primary key,
    Name      varchar(100) not null,
    Company   varchar(100) not null default '',
    Email     varchar(100) not null default '',
    Phone     varchar(40) not null default '',
    VatNo     varchar(20) not null default '',
    Street    varchar(100) not null default '',
    City      varchar(60) not null default '',
    Postcode  varchar(12) not null default '',
    Region    varchar(40) not null default '',
    Country   char(2) not null default '',
    Active    integer not null default 1,
    ChangedAt datetime not null
);

create table Invoice (
    InvoiceNo   varchar(20) not null primary key,
    InvDate     date not null,
    DueDate     date,
    Cust        varchar(20) not null references Customer (Code),
    Currency    char(3) not null,
    Rate        decimal(14,6),
    Total       decimal(14,2) not null,
    Tax         decimal(14,2) not null default 0,
    Discount    decimal(14,2) not null default 0,
    DiscountTax varchar(10) not null default '',
    Freight     decimal(14,2) not null default 0,
    FreightTax  varchar(10) not null default '',
    Rounding    decimal(14,2) not null default 0,
    TaxIncluded integer not null default 0,
    Terms       varchar(20) not null default '',
    Project     varchar(20) not null default '',
    Note        varchar(200) not null default '',
    CareOf      varchar(20) not null default '',
    Sent        integer not null default 1,
    Paid        integer not null default 0,
    Exported    integer not null default 0,
    ChangedAt   datetime not null
);
create index InvoiceChanged on Invoice (ChangedAt, InvoiceNo);

create table InvoiceLine (
    InvoiceNo   varchar(20) not null references Invoice (InvoiceNo),
    LineNo      integer not null,
    Descr       varchar(200) not null default '',
    Qty         decimal(14,4) not null default 1,
    Price       decimal(14,4),
    Discount    decimal(14,2) not null default 0,
    Amount      decimal(14,2) not null,
    GL          varchar(20) not null default '',
    TaxCode     varchar(10) not null default '',
    TaxAmount   decimal(14,2),
    Item        varchar(30) not null default '',
    CostCode    varchar(20) not null default '',
    Project     varchar(20) not null default '',
    primary key (InvoiceNo, LineNo)
);

create table CreditNote (
    CreditNo    varchar(20) not null primary key,
    CreditDate  date not null,
    DueDate     date,
    Cust        varchar(20) not null references Customer (Code),
    Currency    char(3) not null,
    Rate        decimal(14,6),
    Total       decimal(14,2) not null,
    Tax         decimal(14,2) not null default 0,
    Discount    decimal(14,2) not null default 0,
    DiscountTax varchar(10) not null default '',
    Freight     decimal(14,2) not null default 0,
    FreightTax  varchar(10) not null default '',
    Rounding    decimal(14,2) not null default 0,
    TaxIncluded integer not null default 0,
    Terms       varchar(20) not null default '',
    Project     varchar(20) not null default '',
    Note        varchar(200) not null default '',
    CareOf      varchar(20) not null default '',
    Sent        integer not null default 1,
    Paid        integer not null default 0,
    Exported    integer not null default 0,
    ChangedAt   datetime not null
);
create index CreditNoteChanged on CreditNote (ChangedAt, CreditNo);

create table CreditNoteLine (
    CreditNo    varchar(20) not null references CreditNote (CreditNo),
    LineNo      integer not null,
    Descr       varchar(200) not null default '',
    Qty         decimal(14,4) not null default 1,
    Price       decimal(14,4),
    Discount    decimal(14,2) not null default 0,
    Amount      decimal(14,2) not null,
    GL          varchar(20) not null default '',
    TaxCode     varchar(10) not null default '',
    TaxAmount   decimal(14,2),
    Item        varchar(30) not null default '',
    CostCode    varchar(20) not null default '',
    Project     varchar(20) not null default '',
    primary key (CreditNo, LineNo)
);

-- BillId and CreditId are the shop's own; BillNo and CreditNo are the supplier's numbers, which two of them may share.
create table Bill (
    BillId      varchar(20) not null primary key,
    BillNo      varchar(40) not null,
    BillDate    date not null,
    DueDate     date,
    Supp        varchar(20) not null references Supplier (Code),
    Currency    char(3) not null,
    Rate        decimal(14,6),
    Total       decimal(14,2) not null,
    Tax         decimal(14,2) not null default 0,
    Discount    decimal(14,2) not null default 0,
    DiscountTax varchar(10) not null default '',
    Freight     decimal(14,2) not null default 0,
    FreightTax  varchar(10) not null default '',
    Rounding    decimal(14,2) not null default 0,
    TaxIncluded integer not null default 0,
    Terms       varchar(20) not null default '',
    Project     varchar(20) not null default '',
    Note        varchar(200) not null default '',
    Paid        integer not null default 0,
    Exported    integer not null default 0,
    ChangedAt   datetime not null
);
create index BillChanged on Bill (ChangedAt, BillId);

create table BillLine (
    BillId      varchar(20) not null references Bill (BillId),
    LineNo      integer not null,
    Descr       varchar(200) not null default '',
    Qty         decimal(14,4) not null default 1,
    Price       decimal(14,4),
    Discount    decimal(14,2) not null default 0,
    Amount      decimal(14,2) not null,
    GL          varchar(20) not null default '',
    TaxCode     varchar(10) not null default '',
    TaxAmount   decimal(14,2),
    Item        varchar(30) not null default '',
    CostCode    varchar(20) not null default '',
    Project     varchar(20) not null default '',
    primary key (BillId, LineNo)
);

create table SupplierCredit (
    CreditId    varchar(20) not null primary key,
    CreditNo    varchar(40) not null,
    CreditDate  date not null,
    DueDate     date,
    Supp        varchar(20) not null references Supplier (Code),
    Currency    char(3) not null,
    Rate        decimal(14,6),
    Total       decimal(14,2) not null,
    Tax         decimal(14,2) not null default 0,
    Discount    decimal(14,2) not null default 0,
    DiscountTax varchar(10) not null default '',
    Freight     decimal(14,2) not null default 0,
    FreightTax  varchar(10) not null default '',
    Rounding    decimal(14,2) not null default 0,
    TaxIncluded integer not null default 0,
    Terms       varchar(20) not null default '',
    Project     varchar(20) not null default '',
    Note        varchar(200) not null default '',
    Paid        integer not null default 0,
    Exported    integer not null default 0,
    ChangedAt   datetime not null
);
create index SupplierCreditChanged on SupplierCredit (ChangedAt, CreditId);

create table SupplierCreditLine (
    CreditId    varchar(20) not null references SupplierCredit (CreditId),
    LineNo      integer not null,
    Descr       varchar(200) not null default '',
    Qty         decimal(14,4) not null default 1,
    Price       decimal(14,4),
    Discount    decimal(14,2) not null default 0,
    Amount      decimal(14,2) not null,
    GL          varchar(20) not null default '',
    TaxCode     varchar(10) not null default '',
    TaxAmount   decimal(14,2),
    Item        varchar(30) not null default '',
    CostCode    varchar(20) not null default '',
    Project     varchar(20) not null default '',
    primary key (CreditId, LineNo)
);

-- Goods that left and goods that came in, for routes that make invoices from packing lists or bills from receivers.
create table PackingList (
    PackNo      varchar(20) not null primary key,
    ShipDate    date not null,
    DueDate     date,
    Cust        varchar(20) not null references Customer (Code),
    Currency    char(3) not null,
    Rate        decimal(14,6),
    Total       decimal(14,2) not null,
    Tax         decimal(14,2) not null default 0,
    Discount    decimal(14,2) not null default 0,
    DiscountTax varchar(10) not null default '',
    Freight     decimal(14,2) not null default 0,
    FreightTax  varchar(10) not null default '',
    Rounding    decimal(14,2) not null default 0,
    TaxIncluded integer not null default 0,
    Terms       varchar(20) not null default '',
    Project     varchar(20) not null default '',
    Note        varchar(200) not null default '',
    Sent        integer not null default 1,
    Exported    integer not null default 0,
    ChangedAt   datetime not null
);
create index PackingListChanged on PackingList (ChangedAt, PackNo);

create table PackingListLine (
    PackNo      varchar(20) not null references PackingList (PackNo),
    LineNo      integer not null,
    Descr       varchar(200) not null default '',
    Qty         decimal(14,4) not null default 1,
    Price       decimal(14,4),
    Discount    decimal(14,2) not null default 0,
    Amount      decimal(14,2) not null,
    GL          varchar(20) not null default '',
    TaxCode     varchar(10) not null default '',
    TaxAmount   decimal(14,2),
    Item        varchar(30) not null default '',
    CostCode    varchar(20) not null default '',
    Project     varchar(20) not null default '',
    primary key (PackNo, LineNo)
);

create table Receiver (
    ReceiverNo  varchar(20) not null primary key,
    SuppRef     varchar(40) not null,
    RecDate     date not null,
    DueDate     date,
    Supp        varchar(20) not null references Supplier (Code),
    Currency    char(3) not null,
    Rate        decimal(14,6),
    Total       decimal(14,2) not null,
    Tax         decimal(14,2) not null default 0,
    Discount    decimal(14,2) not null default 0,
    DiscountTax varchar(10) not null default '',
    Freight     decimal(14,2) not null default 0,
    FreightTax  varchar(10) not null default '',
    Rounding    decimal(14,2) not null default 0,
    TaxIncluded integer not null default 0,
    Terms       varchar(20) not null default '',
    Project     varchar(20) not null default '',
    Note        varchar(200) not null default '',
    Exported    integer not null default 0,
    ChangedAt   datetime not null
);
create index ReceiverChanged on Receiver (ChangedAt, ReceiverNo);

create table ReceiverLine (
    ReceiverNo  varchar(20) not null references Receiver (ReceiverNo),
    LineNo      integer not null,
    Descr       varchar(200) not null default '',
    Qty         decimal(14,4) not null default 1,
    Price       decimal(14,4),
    Discount    decimal(14,2) not null default 0,
    Amount      decimal(14,2) not null,
    GL          varchar(20) not null default '',
    TaxCode     varchar(10) not null default '',
    TaxAmount   decimal(14,2),
    Item        varchar(30) not null default '',
    CostCode    varchar(20) not null default '',
    Project     varchar(20) not null default '',
    primary key (ReceiverNo, LineNo)
);

create table TimeEntry (
    EntryNo      varchar(20) not null primary key,
    WorkDate     date not null,
    Emp          varchar(20) not null references Employee (Code),
    Minutes      integer,
    StartAt      datetime,
    EndAt        datetime,
    BreakMinutes integer not null default 0,
    PayItem      varchar(20) not null default '',
    Job          varchar(20) not null default '',
    Cust         varchar(20) references Customer (Code),
    Item         varchar(30) not null default '',
    CostCode     varchar(20) not null default '',
    Billable     integer not null default 0,
    Overtime     integer not null default 0,
    Approved     integer not null default 1,
    Note         varchar(200) not null default '',
    Exported     integer not null default 0,
    ChangedAt    datetime not null
);
create index TimeEntryChanged on TimeEntry (ChangedAt, EntryNo);
