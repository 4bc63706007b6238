-- breaks foreign-key-tenant-column: the tenants are not compared
-- at: s.c.f
CREATE TABLE p (id int PRIMARY KEY, tenant_id int); CREATE TABLE c (tenant_id int, p_id int CONSTRAINT f REFERENCES p);
-- keeps foreign-key-tenant-column: compared; a table without tenants; the table of tenants
CREATE TABLE tenant (tenant_id int PRIMARY KEY);
CREATE TABLE p (tenant_id int REFERENCES tenant, id int, PRIMARY KEY (tenant_id, id)); CREATE TABLE q (id int PRIMARY KEY);
CREATE TABLE c (tenant_id int, p_id int, q_id int REFERENCES q, FOREIGN KEY (tenant_id, p_id) REFERENCES p);
-- breaks reference-actions: not stated
-- at: s.c.f
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int CONSTRAINT f REFERENCES p);
-- keeps reference-actions: stated
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p_id int REFERENCES p ON DELETE RESTRICT);
-- breaks self-fk-no-action: a tree
-- at: s.t.f
CREATE TABLE t (id int PRIMARY KEY, up int CONSTRAINT f REFERENCES t);
-- keeps self-fk-no-action: cascades; another table
CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE); CREATE TABLE c (t_id int REFERENCES t);
-- breaks foreign-key-intersecting: a shared column
-- at: s.c.g
CREATE TABLE p (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE q (id int PRIMARY KEY);
CREATE TABLE c (a int, b int, CONSTRAINT f FOREIGN KEY (a, b) REFERENCES p, CONSTRAINT g FOREIGN KEY (a) REFERENCES q);
-- keeps foreign-key-intersecting: apart; twice the same
CREATE TABLE p (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE q (id int PRIMARY KEY);
CREATE TABLE c (a int, b int, c int REFERENCES q, FOREIGN KEY (a, b) REFERENCES p);
