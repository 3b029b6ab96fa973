create table if not exists organisation (id integer primary key, name text unique not null);
create table if not exists storehouse (
    id integer primary key, organisation integer not null references organisation, name text not null,
    coldest real not null, warmest real not null, wettest real not null);
create table if not exists alarm (
    storehouse integer not null, second integer not null, kind text not null, value real not null,
    primary key (storehouse, second, kind)) without rowid;
-- The last second that was measured: whoever moves it measures the next one.
create table if not exists clock (only_row integer primary key check (only_row = 1), second integer not null);
insert or ignore into clock values (1, 0);
insert or ignore into organisation values (1, 'Northern Dairies'), (2, 'Orchard Union'), (3, 'City Pharmacies');
insert or ignore into storehouse values
    (1, 1, 'Milk', 2, 6, 85), (2, 1, 'Cheese', 8, 13, 92), (3, 2, 'Apples', 1, 4, 95),
    (4, 2, 'Pears', -1, 2, 94), (5, 2, 'Nuts', 8, 18, 65), (6, 3, 'Vaccines', 2, 8, 60), (7, 3, 'Tablets', 15, 25, 60);
